{#- Scratch tables live in the session of one model, so two models never see each other's. -#}
{% macro write_scratch(name, query) -%}
    {%- do drop_scratch(name) -%}
    {%- do run_query("create temporary table " ~ name ~ " as " ~ query) -%}
{%- endmacro %}

{% macro rename_scratch(name, new_name) -%}
    {%- do drop_scratch(new_name) -%}
    {%- do run_query("alter table " ~ name ~ " rename to " ~ new_name) -%}
{%- endmacro %}

{% macro drop_scratch(name) -%}
    {%- do run_query("drop table if exists " ~ name) -%}
{%- endmacro %}

{% macro count_rows(relation) -%}
    {{ return(run_query("select count(*) as row_count from " ~ relation).columns[0].values()[0] | int) }}
{%- endmacro %}
