{# What the graph was can't be computed again: a full refresh keeps it. #}
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

{%- set counts = ['profile_count', 'identifier_count', 'pair_count', 'refused_pair_count', 'max_identifier_count'] %}

with

present as (

    select {{ counts | join(', ') }}
    from {{ ref('graph_health') }}

),

latest as (

    {% if is_incremental() %}
    select *
    from {{ this }}
    where build_number = (select max(build_number) from {{ this }})
    {% else %}
    select present.*, 0 as build_number
    from present
    where 1 = 0
    {% endif %}

)

select
    cast(coalesce(latest.build_number, 0) + 1 as {{ dbt.type_bigint() }}) as build_number,
    {{ cdp_now() }} as built_at,
    {% for count in counts %}present.{{ count }}{{ ',' if not loop.last }}
    {% endfor %}
from present
left join latest
    on 1 = 1
where latest.build_number is null
    {% for count in counts %}or present.{{ count }} <> latest.{{ count }}
    {% endfor %}
