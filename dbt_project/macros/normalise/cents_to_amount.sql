{# 1349 cents are 13.49; decimal before dividing, or some engines divide whole numbers and others go through floats. #}
{% macro cents_to_amount(cents) -%}
cast(cast({{ cents }} as {{ cdp_type_money() }}) * cast(0.01 as {{ cdp_type_money() }}) as {{ cdp_type_money() }})
{%- endmacro %}
