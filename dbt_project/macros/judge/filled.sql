{% macro filled(text) -%}nullif(trim({{ text }}), ''){%- endmacro %}
