{% macro cdp_type_score() -%}{{ return(adapter.dispatch('cdp_type_score', 'cdp')()) }}{%- endmacro %}

{% macro default__cdp_type_score() -%}decimal(9, 6){%- endmacro %}

{% macro bigquery__cdp_type_score() -%}numeric(9, 6){%- endmacro %}

{# Match weights are summed as decimals: a sum of floats depends on its order. #}
{% macro cdp_type_weight() -%}{{ return(adapter.dispatch('cdp_type_weight', 'cdp')()) }}{%- endmacro %}

{% macro default__cdp_type_weight() -%}decimal(18, 9){%- endmacro %}

{% macro bigquery__cdp_type_weight() -%}numeric(18, 9){%- endmacro %}

{# 64 bits everywhere: dbt's own float is 32 bits on DuckDB and Spark. #}
{% macro cdp_type_double() -%}{{ return(adapter.dispatch('cdp_type_double', 'cdp')()) }}{%- endmacro %}

{% macro default__cdp_type_double() -%}double precision{%- endmacro %}

{% macro bigquery__cdp_type_double() -%}float64{%- endmacro %}

{% macro spark__cdp_type_double() -%}double{%- endmacro %}
