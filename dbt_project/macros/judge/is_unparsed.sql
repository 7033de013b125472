{# The loader kept the text of a value that has not the declared type, and named the column in _variants. #}
{% macro is_unparsed(column) -%}',' || _variants || ',' like '%,{{ column }},%'{%- endmacro %}
