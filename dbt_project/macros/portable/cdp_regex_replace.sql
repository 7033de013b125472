{% macro cdp_regex_replace(text, pattern, replacement='') -%}
    {{ return(adapter.dispatch('cdp_regex_replace', 'cdp')(text, pattern, replacement)) }}
{%- endmacro %}

{# 'g': DuckDB and PostgreSQL replace the first match only unless told otherwise. #}
{% macro default__cdp_regex_replace(text, pattern, replacement) -%}
regexp_replace({{ text }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}

{% macro snowflake__cdp_regex_replace(text, pattern, replacement) -%}
regexp_replace({{ text }}, '{{ pattern }}', '{{ replacement }}')
{%- endmacro %}

{% macro bigquery__cdp_regex_replace(text, pattern, replacement) -%}
regexp_replace({{ text }}, r'{{ pattern }}', '{{ replacement }}')
{%- endmacro %}

{% macro spark__cdp_regex_replace(text, pattern, replacement) -%}
regexp_replace({{ text }}, '{{ pattern }}', '{{ replacement }}')
{%- endmacro %}
