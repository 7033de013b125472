{# Counts the builds that judged something: a clock-free mark by which later models know what is new to them. #}
{% macro next_batch() -%}
    {%- if is_incremental() -%}
(select coalesce(max(known._batch), 0) + 1 from {{ this }} as known)
    {%- else -%}
1
    {%- endif -%}
{%- endmacro %}
