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

{#- The statements that drop scratch tables. -#}
{% macro dropped(names) -%}
    {%- set statements = [] -%}
    {%- for name in names -%} {%- do statements.append("drop table if exists " ~ name) -%} {%- endfor -%}
    {{ return(statements) }}
{%- endmacro %}

{#- Runs statements in their order; then tells how many rows `counted`, a relation or a join, has, if one is named. -#}
{% macro run_script(statements, counted=none) -%} {{ return(adapter.dispatch('run_script', 'cdp')(statements, counted)) }} {%- endmacro %}

{% macro default__run_script(statements, counted) -%}
    {%- for statement in statements -%} {%- do run_query(statement) -%} {%- endfor -%}
    {{ return(count_rows(counted) if counted else none) }}
{%- endmacro %}

{% macro duckdb__run_script(statements, counted) -%} {{ return(run_joined(statements, counted)) }} {%- endmacro %}

{% macro postgres__run_script(statements, counted) -%} {{ return(run_joined(statements, counted)) }} {%- endmacro %}

{% macro run_joined(statements, counted) -%}
    {%- set script = statements | join("; ") -%}
    {%- if not counted -%} {%- do run_query(script) -%} {{ return(none) }} {%- endif -%}
    {{ return(count_rows(counted, script ~ "; " if statements else "")) }}
{%- endmacro %}

{% macro count_rows(relation, after='') -%}
    {{ return(run_query(after ~ "select count(*) as row_count from " ~ relation).columns[0].values()[0] | int) }}
{%- endmacro %}

{#- One scratch table, and how many rows it got. -#}
{% macro write_scratch(name, query) -%} {{ return(run_script(scratch(name, query), name)) }} {%- endmacro %}
