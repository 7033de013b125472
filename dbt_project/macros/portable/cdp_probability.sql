{# A match weight (log2 of the odds) as a probability. Six digits: engines' logarithms differ in the last bits. Beyond
   60 it is 0 or 1 in six digits, and PostgreSQL refuses powers that vanish. #}
{% macro cdp_probability(weight) -%}
    {%- set odds -%}
power(cast(2 as {{ cdp_type_double() }}), cast(greatest(-60, least(60, {{ weight }})) as {{ cdp_type_double() }}))
    {%- endset -%}
cast(round(cast(1 - 1 / (1 + {{ odds }}) as {{ cdp_type_weight() }}), 6) as {{ cdp_type_score() }})
{%- endmacro %}
