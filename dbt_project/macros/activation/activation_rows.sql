{#- Rows of a table that activation keeps, which is there once something was sent; none before. `columns`: name to type. -#}
{% macro activation_rows(table, columns) -%}
    {%- set found = none -%}
    {%- if execute -%}
        {%- set found = adapter.get_relation(database=target.database, schema='activation', identifier=table) -%}
    {%- endif -%}
    {%- if found -%}
    select {% for name, type_ in columns.items() %}cast({{ name }} as {{ type_ }}) as {{ name }}{{ ', ' if not loop.last }}{% endfor %}
    from {{ found }}
    {%- else -%}
    select {% for name, type_ in columns.items() %}cast(null as {{ type_ }}) as {{ name }}{{ ', ' if not loop.last }}{% endfor %}
    from (select 1 as one) as nothing
    where one = 0
    {%- endif -%}
{%- endmacro %}
