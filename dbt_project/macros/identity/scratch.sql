{#- Scratch tables live in the session of one model, so two models never see each other's. A step is a list of statements
    that is run as one script: the time of a small batch is mostly the number of its round trips. -#}

{#- The statements that make a scratch table. -#}
{% macro scratch(name, query) -%} {{ return(adapter.dispatch('scratch', 'cdp')(name, query)) }} {%- endmacro %}

{% macro default__scratch(name, query) -%}
    {{ return(["drop table if exists " ~ name, "create temporary table " ~ name ~ " as " ~ query]) }}
{%- endmacro %}

{% macro duckdb__scratch(name, query) -%}
    {{ return(["create or replace temporary table " ~ name ~ " as " ~ query]) }}
{%- endmacro %}

{#- Spark has no temporary tables, and a temporary view would be computed anew by every reader: scratch tables are real
    ones of a schema of their own, so two runs on one target schema would disturb each other. -#}
{% macro spark__scratch(name, query) -%}
    {{ return([
        "create schema if not exists " ~ target.schema ~ "_scratch",
        "use " ~ target.schema ~ "_scratch",
        "drop table if exists " ~ name,
        "create table " ~ name ~ " using parquet as " ~ query,
    ]) }}
{%- endmacro %}

{#- The statements that make a scratch table anew from itself. -#}
{% macro redrawn(name, query) -%} {{ return(adapter.dispatch('redrawn', 'cdp')(name, query)) }} {%- endmacro %}

{% macro default__redrawn(name, query) -%}
    {{ return(scratch(name ~ '_redrawn', query)
        + ["drop table if exists " ~ name, "alter table " ~ name ~ "_redrawn rename to " ~ name]) }}
{%- endmacro %}

{% macro duckdb__redrawn(name, query) -%} {{ return(scratch(name, query)) }} {%- endmacro %}

{#- Runs statements in their order; then tells how many rows `counted`, a relation or a join, has. -#}
{% macro run_script(statements, counted) -%} {{ return(adapter.dispatch('run_script', 'cdp')(statements, counted)) }} {%- endmacro %}

{% macro default__run_script(statements, counted) -%}
    {%- for statement in statements -%} {%- do run_query(statement) -%} {%- endfor -%}
    {{ return(count_rows(counted)) }}
{%- endmacro %}

{% macro duckdb__run_script(statements, counted) -%}
    {{ return(count_rows(counted, statements | join("; ") ~ "; ")) }}
{%- endmacro %}

{% macro postgres__run_script(statements, counted) -%}
    {{ return(count_rows(counted, statements | join("; ") ~ "; ")) }}
{%- endmacro %}

{% macro count_rows(relation, after='') -%}
    {{ return(run_query(after ~ "select count(*) as row_count from " ~ relation).columns[0].values()[0] | int) }}
{%- endmacro %}

{#- One scratch table, and how many rows it got. -#}
{% macro write_scratch(name, query) -%} {{ return(run_script(scratch(name, query), name)) }} {%- endmacro %}

{% macro drop_scratch(names) -%} {{ return(adapter.dispatch('drop_scratch', 'cdp')(names)) }} {%- endmacro %}

{% macro default__drop_scratch(names) -%}
    {%- for name in names -%} {%- do run_query("drop table if exists " ~ name) -%} {%- endfor -%}
{%- endmacro %}

{% macro duckdb__drop_scratch(names) -%}
    {%- do run_query("drop table if exists " ~ names | join("; drop table if exists ")) -%}
{%- endmacro %}

{% macro postgres__drop_scratch(names) -%}
    {%- do run_query("drop table if exists " ~ names | join(", ")) -%}
{%- endmacro %}
