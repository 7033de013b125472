{#- The patterns of the seed `blocked_identifiers` as (identifier_type, pattern).

    Read while compiling, because a pattern that is a column is compiled again for every row, which costs
    a hundred times the match. Empty before the seed is first built. -#}
{% macro blocked_patterns(seed) -%}
    {%- set patterns = [] -%}
    {%- if execute and load_relation(seed) is not none -%}
        {%- set rows = run_query(
            "select identifier_type, blocked_value from " ~ seed ~ " where match_kind = 'regex' order by 1, 2") -%}
        {%- for row in rows -%} {%- do patterns.append((row[0], row[1])) -%} {%- endfor -%}
    {%- endif -%}
    {{ return(patterns) }}
{%- endmacro %}
