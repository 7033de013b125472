{#- True when an identifier stands for nobody: a value or a pattern of the seed `blocked_identifiers`, or the SHA-256
    of a blocked address.

    The seed is read while compiling, because a pattern that is a column is compiled again for every row, which
    costs a hundred times the match. Nothing is blocked before the seed is first built. -#}
{% macro is_placeholder(identifier_type, identifier_value, email_sha256, blocked) -%}
    {%- set tests = [] -%}
    {%- for kind, values in blocked.exact.items() -%}
        {%- do tests.append(of_kind(kind, identifier_type) ~ "lower(" ~ identifier_value ~ ") in ('"
            ~ values | join("', '") ~ "')") -%}
    {%- endfor -%}
    {%- for kind, patterns in blocked.regex.items() -%}
        {%- do tests.append(of_kind(kind, identifier_type) ~ cdp_regex_like("lower(" ~ identifier_value ~ ")",
            "(" ~ patterns | join(")|(") ~ ")")) -%}
    {%- endfor -%}
    {%- for address in blocked.exact.get('email', []) -%}
        {%- do tests.append(email_sha256 ~ " = " ~ cdp_sha256("'" ~ address ~ "'")) -%}
    {%- endfor -%}
    coalesce({{ tests | join('\n        or ') if tests else '1 = 0' }}, 1 = 0)
{%- endmacro %}

{% macro of_kind(kind, identifier_type) -%}
    {%- if kind != 'any' -%} {{ identifier_type }} = '{{ kind }}' and {% endif -%}
{%- endmacro %}

{#- The seed as values and patterns by identifier type, and a fingerprint of all of it. -#}
{% macro read_blocked_identifiers(seed) -%}
    {%- set blocked = {'exact': {}, 'regex': {}, 'fingerprint': 'none'} -%}
    {%- if execute and load_relation(seed) is not none -%}
        {%- set rows = run_query(
            "select match_kind, identifier_type, blocked_value from " ~ seed ~ " order by 1, 2, 3").rows -%}
        {%- for row in rows -%}
            {%- do blocked[row[0]].setdefault(row[1], []).append(row[2] if row[0] == 'regex' else row[2] | lower) -%}
        {%- endfor -%}
        {%- do blocked.update({'fingerprint': local_md5(blocked.exact ~ blocked.regex)}) -%}
    {%- endif -%}
    {{ return(blocked) }}
{%- endmacro %}
