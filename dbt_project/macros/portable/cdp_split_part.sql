{% macro cdp_split_part(text, delimiter, part) -%}
    {{ return(adapter.dispatch('cdp_split_part', 'cdp')(text, delimiter, part)) }}
{%- endmacro %}

{% macro default__cdp_split_part(text, delimiter, part) -%}
split_part({{ text }}, '{{ delimiter }}', {{ part }})
{%- endmacro %}

{% macro bigquery__cdp_split_part(text, delimiter, part) -%}
coalesce(split({{ text }}, '{{ delimiter }}')[safe_offset({{ part - 1 }})], '')
{%- endmacro %}
