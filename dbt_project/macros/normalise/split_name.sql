{# 'Ada Example' and 'Example, Ada' both give Ada | Example; a single word is a first name. #}
{% macro first_name_of(name) -%}
{{ normalise_name(
    "case when " ~ name ~ " like '%,%' then " ~ cdp_split_part(name, ',', 2)
    ~ " else " ~ cdp_split_part('trim(' ~ name ~ ')', ' ', 1) ~ " end"
) }}
{%- endmacro %}

{% macro last_name_of(name) -%}
{{ normalise_name(
    "case when " ~ name ~ " like '%,%' then " ~ cdp_split_part(name, ',', 1)
    ~ " else substr(trim(" ~ name ~ "), length(" ~ cdp_split_part('trim(' ~ name ~ ')', ' ', 1) ~ ") + 1) end"
) }}
{%- endmacro %}
