{#- Fellegi–Sunter in plain SQL: each comparison's level has a trained weight (log2 of how much more often it is
    met among records of one person than of two), and the weights add up.

    `pairs` has the columns of both records, <column>_l and <column>_r; `parameters` is the seed `match_parameters`
    or a table like it. Adds <comparison>_level (-1: nothing to compare) and match_weight. -#}
{% macro match_weights(pairs, comparisons, parameters, model) -%}
    select
        levelled.*,
        baseline.match_weight
        {%- for comparison in comparisons %}
        + coalesce({{ comparison.name }}_weights.match_weight, 0)
        {%- endfor %} as match_weight
    from (
        select
            pairs.*,
            {%- for comparison in comparisons %}
            {{ match_level(comparison) }} as {{ comparison.name }}_level{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ pairs }} as pairs
    ) as levelled
    inner join {{ parameters }} as baseline
        on baseline.model = '{{ model }}'
        and baseline.comparison = 'prior'
    {%- for comparison in comparisons %}
    left join {{ parameters }} as {{ comparison.name }}_weights
        on {{ comparison.name }}_weights.model = '{{ model }}'
        and {{ comparison.name }}_weights.comparison = '{{ comparison.name }}'
        and {{ comparison.name }}_weights.level = levelled.{{ comparison.name }}_level
    {%- endfor %}
{%- endmacro %}

{% macro match_level(comparison) -%}
case
                when {{ comparison.unknown }} then -1
                {%- for label, condition in comparison.levels %}
                when {{ condition }} then {{ comparison.levels | length - loop.index0 }}
                {%- endfor %}
                else 0
            end
{%- endmacro %}
