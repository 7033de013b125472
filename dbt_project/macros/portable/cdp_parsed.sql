{#- A relation of whose JSON columns many texts are wanted. `fields` names them: {'email': ['traits.email', 'context.email']};
    a path starts with the column. -#}
{% macro cdp_parsed(relation, fields) -%} {{ return(adapter.dispatch('cdp_parsed', 'cdp')(relation, fields)) }} {%- endmacro %}

{% macro default__cdp_parsed(relation, fields) -%} {{ relation }} {%- endmacro %}

{#- DuckDB parses at every call: 6 us for 23 texts of an event, 1.5 us when each column is parsed once. -#}
{% macro duckdb__cdp_parsed(relation, fields) -%}
    (
        select
            *
            {%- for column, paths in json_paths(fields).items() %},
            json_extract_string({{ column }}, ['$.{{ paths | join("', '$.") }}']) as _texts_of_{{ column }}
            {%- endfor %}
        from {{ relation }}
    ) as {{ relation }}
{%- endmacro %}

{#- One of the texts, by its path. -#}
{% macro cdp_parsed_text(path, fields) -%}
    {{ return(adapter.dispatch('cdp_parsed_text', 'cdp')(path, fields)) }}
{%- endmacro %}

{% macro default__cdp_parsed_text(path, fields) -%}
    {%- set column, _, place = path.partition('.') -%}
    {{ cdp_json_text(column, place) }}
{%- endmacro %}

{% macro duckdb__cdp_parsed_text(path, fields) -%}
    {%- set column, _, place = path.partition('.') -%}
    _texts_of_{{ column }}[{{ json_paths(fields)[column].index(place) + 1 }}]
{%- endmacro %}

{% macro json_paths(fields) -%}
    {%- set found = {} -%}
    {%- for path in fields.values() | sum(start=[]) | unique -%}
        {%- set column, _, place = path.partition('.') -%}
        {%- do found.setdefault(column, []).append(place) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
