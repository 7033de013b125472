{# What the graph was can't be computed again: a full refresh keeps it. Of before a count was added it is unknown. #}
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false,
    on_schema_change='append_new_columns') }}

{%- set counts = ['profile_count', 'identifier_count', 'pair_count', 'refused_pair_count', 'max_identifier_count',
    'max_component_size'] %}
{%- set types = {'build_number': dbt.type_bigint()} %}
{%- for count in counts %}{% do types.update({count: dbt.type_bigint()}) %}{% endfor %}

with

present as (

    select {{ counts | join(', ') }}
    from {{ ref('graph_health') }}

),

known as (

    {{ optional_rows(this.schema, this.identifier, types) }}

),

latest as (

    select *
    from known
    where build_number = (select max(earlier.build_number) from known as earlier)

)

select
    cast(coalesce(latest.build_number, 0) + 1 as {{ dbt.type_bigint() }}) as build_number,
    {{ cdp_now() }} as built_at,
    {% for count in counts %}present.{{ count }}{{ ',' if not loop.last }}
    {% endfor %}
from present
left join latest
    on 1 = 1
where {% for count in counts %}coalesce(latest.{{ count }}, -1) <> present.{{ count }}
    {% if not loop.last %}or {% endif %}{% endfor %}
