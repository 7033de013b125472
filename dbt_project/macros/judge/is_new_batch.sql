{#- Whether a row of the model `upstream` came after the last build of this incremental model. The second half holds
    after a full refresh of `upstream` alone, which counts from one again: then everything is new. -#}
{% macro is_new_batch(batch, upstream) -%}
    {%- if is_incremental() -%}
({{ batch }} > {{ newest(this) }} or {{ newest(upstream) }} < {{ newest(this) }})
    {%- else -%}
1 = 1
    {%- endif -%}
{%- endmacro %}
