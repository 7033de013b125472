{#- The values of a column of a CTE, to look for. DuckDB tells a scan what is looked for (a Bloom filter, so that of a large
    table little more than the key is read) only when the side that is looked for has a filter, be it one that lets all pass. -#}
{% macro among(relation, column) -%}
    (select {{ relation }}.{{ column }} from {{ relation }} where {{ relation }}.{{ column }} is not null)
{%- endmacro %}
