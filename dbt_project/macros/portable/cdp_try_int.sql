{% macro cdp_try_int(text) -%}
case
    when {{ cdp_regex_like('trim(' ~ text ~ ')', '^[+-]?[0-9]{1,18}$') }}
        then cast(trim({{ text }}) as {{ dbt.type_bigint() }})
end
{%- endmacro %}
