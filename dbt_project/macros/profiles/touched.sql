{#- Incremental models per profile: whom to look at again, and how to say that nothing is left of one. -#}
{% macro unread_profiles() -%}
    select changed.profile_id from {{ ref('touched_profiles') }} as changed
    where {{ is_unmarked('changed._batch', 'touched_profiles') }}
{%- endmacro %}

{#- Keeps only touched profiles in an increment. -#}
{% macro only_touched(column='profile_id', word='where') -%}
    {%- if is_incremental() %} {{ word }} {{ column }} in {{ among('touched', 'profile_id') }} {%- endif -%}
{%- endmacro %}

{#- CTEs up to `name`: the identifiers of touched profiles. A profile that changed has all its rows written again, at the
    end of the table, so of those no more than the end is read; a search through the table is for the others only. -#}
{% macro touched_identifiers(name='members') -%}
{%- set members = ref('profile_identifiers') -%}
{%- if is_incremental() -%}
rewritten as (

    select * from {{ members }} where {{ is_unmarked('_batch', 'touched_profiles') }}

),

elsewhere as (

    select touched.profile_id from touched
    where touched.profile_id not in (select rewritten.profile_id from rewritten)

),

found as {{ cdp_materialized() }} (

    select * from {{ members }} where profile_id in {{ among('elsewhere', 'profile_id') }}

),

{{ name }} as (

    select * from rewritten
    union all
    select * from found

)
{%- else -%}
{{ name }} as (

    select * from {{ members }}

)
{%- endif -%}
{%- endmacro %}

{#- The rows of touched profiles in a model that is kept per profile: those written since `this` read it are at its end,
    and the search through it is for the profiles that it had no reason to write again. A CTE must be named `touched`. -#}
{% macro touched_rows(model) -%}
{%- if is_incremental() -%}
(
        with elsewhere as (

            select touched.profile_id
            from touched
            left join (
                select changed.profile_id from {{ ref('touched_profiles') }} as changed
                where {{ is_unmarked('changed._batch', 'touched_profiles') }}
                    and not {{ is_unmarked('changed._batch', 'touched_profiles', reader=model) }}
            ) as rewritten
                on touched.profile_id = rewritten.profile_id
            where rewritten.profile_id is null

        ),

        found as {{ cdp_materialized() }} (

            select * from {{ ref(model) }} where profile_id in {{ among('elsewhere', 'profile_id') }}

        )

        select * from {{ ref(model) }} where {{ is_unmarked('_batch', model) }}
        union all
        select * from found where not {{ is_unmarked('coalesce(_batch, 0)', model) }}
    )
{%- else -%}
{{ ref(model) }}
{%- endif -%}
{%- endmacro %}

{#- What an increment of a model reads beside its query, for dbt, which looks only at the first build. -#}
{% macro per_profile(reads) -%}
    {%- for model in reads + ['read_marks'] if model != 'clock' -%} {%- do ref(model) -%} {%- endfor -%}
{%- endmacro %}

{#- One row per touched key that takes away what is stored of it; the others of the query replace it. -#}
{% macro gone_rows(null_count, key='profile_id', relation='touched') -%}
    {%- if is_incremental() %}

union all

select {{ key }}, {{ 'null, ' * null_count }}1 = 1 from {{ relation }}
    {%- endif %}
{%- endmacro %}
