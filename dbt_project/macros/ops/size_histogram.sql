{#- How many things have how many identifiers, from a query of one `identifier_count` each. -#}
{% macro size_histogram(sized, counted) -%}
with

sized as (

    {{ sized }}

),

sizes as (

    select identifier_count, count(*) as {{ counted }}
    from sized
    group by identifier_count

),

accumulated as (

    select
        sizes.*,
        sum({{ counted }}) over (order by identifier_count) as cumulative_count,
        sum({{ counted }}) over () as total_count
    from sizes

)

select
    identifier_count,
    cast({{ counted }} as {{ dbt.type_bigint() }}) as {{ counted }},
    cast(cumulative_count as {{ dbt.type_bigint() }}) as cumulative_count,
    cast(floor(cumulative_count * 1000000 / total_count) as {{ dbt.type_bigint() }}) as cumulative_ppm
from accumulated
{%- endmacro %}

{#- Percentiles of such a histogram, as columns: the smallest size that so many of a hundred don't exceed. -#}
{% macro size_percentiles(size) -%}
    {%- for percent in [50, 90, 99] %}
        coalesce(
            min(case when cumulative_count * 100 >= total_count * {{ percent }} then identifier_count end), 0
        ) as p{{ percent }}_{{ size }},
    {%- endfor %}
        coalesce(max(identifier_count), 0) as max_{{ size }}
{%- endmacro %}
