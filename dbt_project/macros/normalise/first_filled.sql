{#- Columns from JSON columns of a relation made by `cdp_parsed`: of each the first path that says something. -#}
{% macro first_filled(fields) -%}
    {%- for name, paths in fields.items() -%}
        {%- set said = [] -%}
        {%- for path in paths -%} {%- do said.append(filled(cdp_parsed_text(path, fields))) -%} {%- endfor -%}
{{ 'coalesce(' ~ said | join(', ') ~ ')' if said | length > 1 else said[0] }} as {{ name }}
        {{- ',\n        ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
