{# One text from many values; the control characters keep ('a', null) apart from ('', 'a'). #}
{% macro content_hash(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(cast(" ~ column ~ " as " ~ dbt.type_string() ~ "), chr(30))") -%}
    {%- endfor -%}
{{ cdp_md5(parts | join(" || chr(31) || ")) }}
{%- endmacro %}
