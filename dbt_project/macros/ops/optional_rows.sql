{#- The rows of a table that is not made by dbt and may not be there yet, as before the first owner or the first message. -#}
{% macro optional_rows(schema, table, columns) -%}
    {%- set relation = adapter.get_relation(target.database, schema, table) if execute else none -%}
    {%- if relation is not none -%}
    select {{ columns.keys() | join(', ') }} from {{ relation }}
    {%- else -%}
    select
        {%- for name, type in columns.items() %}
        cast(null as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    where 1 = 0
    {%- endif -%}
{%- endmacro %}
