{#- The batch that an incremental model has read last. -#}
{% macro newest_batch() -%}
(select coalesce(max(known._batch), 0) from {{ this }} as known)
{%- endmacro %}
