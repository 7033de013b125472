{% macro cdp_bytewise(text) -%}{{ return(adapter.dispatch('cdp_bytewise', 'cdp')(text)) }}{%- endmacro %}

{% macro default__cdp_bytewise(text) -%}{{ text }}{%- endmacro %}

{# A server's locale may sort a before B; the others compare bytes. #}
{% macro postgres__cdp_bytewise(text) -%}{{ text }} collate "C"{%- endmacro %}
