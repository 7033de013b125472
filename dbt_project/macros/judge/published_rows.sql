{% macro published_rows(judged) -%}
select * from {{ judged }} where _outcome = 'published'
{%- endmacro %}
