{#- The profiles or components of `sized` that are larger than the variable `largest_<kind>`, or over five times the
    largest of the last build that passed, which `ops.graph_growth` holds in the column `before`.

    That table is read without a ref: the tests must run before the tables they guard are built, and the table is
    built only from what passed. -#}
{% macro exploding(kind, sized, before) -%}
    {%- set types = {'build_number': dbt.type_bigint(), before: dbt.type_bigint()} -%}
with

sized as (

    {{ sized }}

),

judged as (

    select
        sized.*,
        (
            select growth.{{ before }}
            from ({{ optional_rows('ops', 'graph_growth', types) }}) as growth
            order by growth.build_number desc
            limit 1
        ) as largest_count_before
    from sized

)

select
    {{ kind }}_id,
    identifier_count,
    case
        when identifier_count > {{ var('largest_' ~ kind) }}
            then 'has more identifiers than the variable largest_{{ kind }} allows'
        else 'grew more than fivefold since the last build'
    end as problem
from judged
where identifier_count > {{ var('largest_' ~ kind) }}
    or (identifier_count > 50 and identifier_count > 5 * largest_count_before)
{%- endmacro %}
