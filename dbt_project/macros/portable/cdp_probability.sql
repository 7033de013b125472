{# A match weight (log2 of the odds) as a probability. Six digits: engines' logarithms differ in the last bits. #}
{% macro cdp_probability(weight) -%}
cast(round(cast(
    1.0 - 1.0 / (1.0 + power(cast(2 as {{ dbt.type_float() }}), cast({{ weight }} as {{ dbt.type_float() }})))
as {{ cdp_type_score() }}), 6) as {{ cdp_type_score() }})
{%- endmacro %}
