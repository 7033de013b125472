{# How many letters must change. DuckDB counts bytes and the others characters, so texts that are not ASCII are
   only equal (0) or not (99). PostgreSQL refuses more than 255 bytes: cut texts before. #}
{% macro cdp_levenshtein(left_text, right_text) -%}
case
    when {{ left_text }} = {{ right_text }} then 0
    when {{ cdp_is_ascii(left_text) }} and {{ cdp_is_ascii(right_text) }}
        then {{ cdp_edit_distance(left_text, right_text) }}
    when {{ left_text }} <> {{ right_text }} then 99
end
{%- endmacro %}

{% macro cdp_edit_distance(left_text, right_text) -%}
    {{ return(adapter.dispatch('cdp_edit_distance', 'cdp')(left_text, right_text)) }}
{%- endmacro %}

{# What a model that calls it needs first, as its pre_hook: PostgreSQL has the function in an extension. #}
{% macro cdp_levenshtein_setup() -%}{{ return(adapter.dispatch('cdp_levenshtein_setup', 'cdp')()) }}{%- endmacro %}

{% macro default__cdp_levenshtein_setup() -%}{%- endmacro %}

{% macro postgres__cdp_levenshtein_setup() -%}create extension if not exists fuzzystrmatch{%- endmacro %}

{% macro default__cdp_edit_distance(left_text, right_text) -%}
levenshtein({{ left_text }}, {{ right_text }})
{%- endmacro %}

{% macro snowflake__cdp_edit_distance(left_text, right_text) -%}
editdistance({{ left_text }}, {{ right_text }})
{%- endmacro %}

{% macro bigquery__cdp_edit_distance(left_text, right_text) -%}
edit_distance({{ left_text }}, {{ right_text }})
{%- endmacro %}

{% macro cdp_is_ascii(text) -%}{{ return(adapter.dispatch('cdp_is_ascii', 'cdp')(text)) }}{%- endmacro %}

{% macro default__cdp_is_ascii(text) -%}octet_length({{ text }}) = length({{ text }}){%- endmacro %}

{% macro duckdb__cdp_is_ascii(text) -%}strlen({{ text }}) = length({{ text }}){%- endmacro %}

{% macro bigquery__cdp_is_ascii(text) -%}byte_length({{ text }}) = length({{ text }}){%- endmacro %}
