{#- CDP_SCHEMA_PREFIX builds the same tables beside the real ones, to try a change. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ env_var('CDP_SCHEMA_PREFIX', '') ~ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
