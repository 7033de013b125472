{% macro cdp_try_timestamp(text) -%}
    {%- set pattern = '^' ~ iso_day_pattern() ~ '[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+]00:?00)?$' -%}
case
    when {{ cdp_regex_like('trim(' ~ text ~ ')', pattern) }}
        then cast(replace({{ cdp_regex_replace('trim(' ~ text ~ ')', '(Z|[+]00:?00)$') }}, 'T', ' ') as {{ dbt.type_timestamp() }})
end
{%- endmacro %}
