{#- Rules of the seed `survivorship_orders` as an order: each row gets one number per place in the order, and
    the row with the smallest numbers survives. Numbers, so that rules that compare moments, counts and
    trust can stand in one column whose rule differs from row to row. -#}
{% macro survivorship_places() -%}
    {{ return(['first', 'second', 'third', 'fourth']) }}
{%- endmacro %}

{#- What a rule says of a row, smaller is better. A rule this macro doesn't know finds all rows equal;
    the tests of the seed refuse it before. -#}
{% macro survivorship_key(rule, is_verified, source_priority, recency_rank, told_count) -%}
case {{ rule }}
    when 'verified' then case when {{ is_verified }} then 0 else 1 end
    when 'source_priority' then {{ source_priority }}
    when 'recency' then {{ recency_rank }}
    when 'frequency' then -({{ told_count }})
    else 0
end
{%- endmacro %}

{#- The rule at which two rows first differ; both have a key and a rule per place. -#}
{% macro deciding_rule(one, rival) -%}
case
    {%- for place in survivorship_places() %}
    when {{ one }}.{{ place }}_key <> {{ rival }}.{{ place }}_key then {{ one }}.{{ place }}_rule
    {%- endfor %}
    else 'tie'
end
{%- endmacro %}

{#- A number that changes with any row of the seeds, so that other rules judge everybody again. -#}
{% macro survivorship_fingerprint(orders, rules) -%}
    {%- set rows = [] -%}
    {%- for seed in [orders, rules] if execute and seed.schema and load_relation(seed) is not none -%}
        {%- do rows.extend(run_query("select * from " ~ seed ~ " order by 1, 2").rows | map('string') | list) -%}
    {%- endfor -%}
    {{ return(local_md5(rows | join('; '))[:15] | int(base=16)) }}
{%- endmacro %}
