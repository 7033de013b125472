{% macro cdp_md5(text) -%}{{ return(adapter.dispatch('cdp_md5', 'cdp')(text)) }}{%- endmacro %}

{% macro default__cdp_md5(text) -%}md5({{ text }}){%- endmacro %}

{% macro bigquery__cdp_md5(text) -%}to_hex(md5({{ text }})){%- endmacro %}
