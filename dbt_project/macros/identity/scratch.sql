{#- Scratch tables live in the session of one model, so two models never see each other's. Returns how
    many rows the table got. -#}
{% macro write_scratch(name, query) -%}
    {{ return(adapter.dispatch('write_scratch', 'cdp')(name, query)) }}
{%- endmacro %}

{% macro default__write_scratch(name, query) -%}
    {%- do run_query("drop table if exists " ~ name) -%}
    {%- do run_query("create temporary table " ~ name ~ " as " ~ query) -%}
    {{ return(count_rows(name)) }}
{%- endmacro %}

{#- One round trip instead of three: the time of a grouping is mostly the number of its statements. -#}
{% macro duckdb__write_scratch(name, query) -%}
    {{ return(count_rows(name, "create or replace temporary table " ~ name ~ " as " ~ query ~ "; ")) }}
{%- endmacro %}

{% macro postgres__write_scratch(name, query) -%}
    {{ return(count_rows(name,
        "drop table if exists " ~ name ~ "; create temporary table " ~ name ~ " as " ~ query ~ "; ")) }}
{%- endmacro %}

{#- Spark has no temporary tables, and a temporary view would be computed anew by every reader: scratch tables are real
    ones of a schema of their own, so two runs on one target schema would disturb each other. -#}
{% macro spark__write_scratch(name, query) -%}
    {%- do use_scratch_schema() -%}
    {%- do run_query("drop table if exists " ~ name) -%}
    {%- do run_query("create table " ~ name ~ " using parquet as " ~ query) -%}
    {{ return(count_rows(name)) }}
{%- endmacro %}

{% macro use_scratch_schema() -%}
    {%- do run_query("create schema if not exists " ~ target.schema ~ "_scratch") -%}
    {%- do run_query("use " ~ target.schema ~ "_scratch") -%}
{%- endmacro %}

{% macro count_rows(relation, after='') -%}
    {{ return(run_query(after ~ "select count(*) as row_count from " ~ relation).columns[0].values()[0] | int) }}
{%- endmacro %}

{% macro drop_scratch(names) -%}
    {{ return(adapter.dispatch('drop_scratch', 'cdp')(names)) }}
{%- endmacro %}

{% macro default__drop_scratch(names) -%}
    {%- for name in names -%} {%- do run_query("drop table if exists " ~ name) -%} {%- endfor -%}
{%- endmacro %}

{% macro duckdb__drop_scratch(names) -%}
    {%- do run_query("drop table if exists " ~ names | join("; drop table if exists ")) -%}
{%- endmacro %}

{% macro postgres__drop_scratch(names) -%}
    {%- do run_query("drop table if exists " ~ names | join(", ")) -%}
{%- endmacro %}

{#- A scratch table made anew from itself. -#}
{% macro redraw(name, query) -%}
    {{ return(adapter.dispatch('redraw', 'cdp')(name, query)) }}
{%- endmacro %}

{% macro default__redraw(name, query) -%}
    {%- set count = write_scratch(name ~ '_redrawn', query) -%}
    {%- do drop_scratch([name]) -%}
    {%- do run_query("alter table " ~ name ~ "_redrawn rename to " ~ name) -%}
    {{ return(count) }}
{%- endmacro %}

{% macro duckdb__redraw(name, query) -%} {{ return(write_scratch(name, query)) }} {%- endmacro %}
