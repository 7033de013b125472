{# Counts the builds that judged something: a clock-free mark by which later models know what is new to them. #}
{% macro next_batch() -%}
    {%- if is_incremental() -%}
{{ newest(this) }} + 1
    {%- else -%}
1
    {%- endif -%}
{%- endmacro %}
