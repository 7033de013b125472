{% macro cdp_regex_like(text, pattern) -%}
    {%- if '\\' in pattern or "'" in pattern -%}
        {{ exceptions.raise_compiler_error(
            "cdp_regex_like: the pattern " ~ pattern ~ " has a backslash or a quote, which engines escape differently. "
            ~ "Write [.] for a dot, [0-9] for a digit, and '' outside the pattern."
        ) }}
    {%- endif -%}
    {{ return(adapter.dispatch('cdp_regex_like', 'cdp')(text, pattern)) }}
{%- endmacro %}

{% macro default__cdp_regex_like(text, pattern) -%}regexp_matches({{ text }}, '{{ pattern }}'){%- endmacro %}

{% macro postgres__cdp_regex_like(text, pattern) -%}{{ text }} ~ '{{ pattern }}'{%- endmacro %}

{# Snowflake's regexp_like is anchored at both ends; regexp_instr is not. #}
{% macro snowflake__cdp_regex_like(text, pattern) -%}regexp_instr({{ text }}, '{{ pattern }}') > 0{%- endmacro %}

{% macro bigquery__cdp_regex_like(text, pattern) -%}regexp_contains({{ text }}, r'{{ pattern }}'){%- endmacro %}

{% macro spark__cdp_regex_like(text, pattern) -%}{{ text }} rlike '{{ pattern }}'{%- endmacro %}
