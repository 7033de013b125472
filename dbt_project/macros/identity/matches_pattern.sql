{#- As cdp_regex_like, for a pattern that is a column. -#}
{% macro matches_pattern(text, pattern) -%}
    {{ return(adapter.dispatch('matches_pattern', 'cdp')(text, pattern)) }}
{%- endmacro %}

{% macro default__matches_pattern(text, pattern) -%}regexp_matches({{ text }}, {{ pattern }}){%- endmacro %}
{% macro postgres__matches_pattern(text, pattern) -%}({{ text }} ~ {{ pattern }}){%- endmacro %}
{% macro snowflake__matches_pattern(text, pattern) -%}regexp_instr({{ text }}, {{ pattern }}) > 0{%- endmacro %}
{% macro bigquery__matches_pattern(text, pattern) -%}regexp_contains({{ text }}, {{ pattern }}){%- endmacro %}
{% macro spark__matches_pattern(text, pattern) -%}({{ text }} rlike {{ pattern }}){%- endmacro %}
