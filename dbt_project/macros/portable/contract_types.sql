{#- Contracts name types as DuckDB and PostgreSQL do, but Spark knows no text. dbt finds this macro before its own when it
    compares a model with its contract. -#}
{% macro spark__get_empty_schema_sql(columns) -%}
    {%- set spelled = {} -%}
    {%- for name, column in columns.items() -%}
        {%- set is_text = column['data_type'] == 'text' -%}
        {%- do spelled.update({name: dict(column, data_type=dbt.type_string() if is_text else column['data_type'])}) -%}
    {%- endfor -%}
    {{ return(default__get_empty_schema_sql(spelled)) }}
{%- endmacro %}
