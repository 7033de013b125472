{# For numbers inside documents, which the loader can't parse: international form or nothing, no region is guessed. #}
{% macro normalise_phone(text) -%}
    {%- set digits = cdp_regex_replace(text, '[ ()./-]') -%}
case when {{ cdp_regex_like(digits, '^[+][1-9][0-9]{6,14}$') }} then {{ digits }} end
{%- endmacro %}
