{% macro cdp_sha256(text) -%}{{ return(adapter.dispatch('cdp_sha256', 'cdp')(text)) }}{%- endmacro %}

{% macro default__cdp_sha256(text) -%}sha256({{ text }}){%- endmacro %}

{% macro postgres__cdp_sha256(text) -%}encode(sha256(convert_to({{ text }}, 'UTF8')), 'hex'){%- endmacro %}

{% macro snowflake__cdp_sha256(text) -%}sha2({{ text }}, 256){%- endmacro %}

{% macro bigquery__cdp_sha256(text) -%}to_hex(sha256({{ text }})){%- endmacro %}

{% macro spark__cdp_sha256(text) -%}sha2({{ text }}, 256){%- endmacro %}
