{#- The rows of a table that is not made by dbt and may not be there yet, or be of before a column was added. -#}
{% macro optional_rows(schema, table, columns) -%}
    {%- set relation = adapter.get_relation(target.database, schema, table) if execute else none -%}
    {%- set there = (adapter.get_columns_in_relation(relation) | map(attribute='name') | map('lower') | list)
        if relation is not none else [] -%}
    select
        {%- for name, type in columns.items() %}
        {{ name if name in there else 'cast(null as ' ~ type ~ ') as ' ~ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    {% if relation is not none %}from {{ relation }}{% else %}where 1 = 0{% endif %}
{%- endmacro %}
