{#- For a CTE that is to be asked as it stands: whether there is anybody to look for is known before anything is read only if
    no condition of what comes after is moved in between. -#}
{% macro cdp_materialized() -%} {{ return(adapter.dispatch('cdp_materialized', 'cdp')()) }} {%- endmacro %}

{% macro default__cdp_materialized() -%} {%- endmacro %}

{% macro duckdb__cdp_materialized() -%} materialized {%- endmacro %}
