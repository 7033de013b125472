{# The first path that says something; a path starts with the column: 'context.page.url'. #}
{% macro first_filled(paths) -%}
    {%- set said = [] -%}
    {%- for path in paths -%}
        {%- do said.append(filled(cdp_json_text(path.split('.')[0], path.split('.')[1:] | join('.')))) -%}
    {%- endfor -%}
{{ 'coalesce(' ~ said | join(', ') ~ ')' if said | length > 1 else said[0] }}
{%- endmacro %}
