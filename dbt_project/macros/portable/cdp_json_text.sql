{% macro cdp_json_text(column, path) -%}{{ return(adapter.dispatch('cdp_json_text', 'cdp')(column, path)) }}{%- endmacro %}

{% macro default__cdp_json_text(column, path) -%}json_extract_string({{ column }}, '$.{{ path }}'){%- endmacro %}

{# In brackets: the operator binds as loosely as ||. #}
{% macro postgres__cdp_json_text(column, path) -%}
(cast({{ column }} as json) #>> '{{ "{" ~ path | replace(".", ",") ~ "}" }}')
{%- endmacro %}

{% macro snowflake__cdp_json_text(column, path) -%}json_extract_path_text({{ column }}, '{{ path }}'){%- endmacro %}

{% macro bigquery__cdp_json_text(column, path) -%}json_value({{ column }}, '$.{{ path }}'){%- endmacro %}

{% macro spark__cdp_json_text(column, path) -%}get_json_object({{ column }}, '$.{{ path }}'){%- endmacro %}
