{% macro cdp_try_decimal(text) -%}
case
    when {{ cdp_regex_like('trim(' ~ text ~ ')', '^[+-]?([0-9]{1,16}([.][0-9]*)?|[.][0-9]+)$') }}
        then cast(trim({{ text }}) as {{ cdp_type_money() }})
end
{%- endmacro %}
