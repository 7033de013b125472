{% macro cdp_type_money() -%}{{ return(adapter.dispatch('cdp_type_money', 'cdp')()) }}{%- endmacro %}

{% macro default__cdp_type_money() -%}decimal(18, 2){%- endmacro %}

{% macro bigquery__cdp_type_money() -%}numeric(18, 2){%- endmacro %}
