{#- The seed `identifier_rules` read once, so that limits are literals and no guard needs a join.

    Nothing is limited before the seed is first built. Returns type names and codes, codes by strength, `limits`
    (type_code, most, window_days or none), `guards` (type_code, neighbour type_code, most), `doubled` (codes of exact
    types that a profile may hold several of: a CRM has duplicates) and a fingerprint that changes with any of them. -#}
{% macro read_identifier_rules(relation) -%}
    {%- set neighbours = {
        'max_user_ids': 'user_id', 'max_loyalty_numbers': 'loyalty_number',
        'max_crm_contacts': 'crm_contact_id', 'max_emails': 'email',
    } -%}
    {%- set rows = [] if not execute or load_relation(relation) is none else run_query("
        select identifier_type, type_code, strength, priority, max_per_profile, max_per_window, window_days, "
        ~ neighbours.keys() | join(', ') ~ " from " ~ relation ~ " order by type_code").rows -%}
    {%- set codes, ranks, limits, guards, doubled = {}, [], [], [], [] -%}
    {%- set strengths = {'exact': [], 'strict': [], 'loose': []} -%}
    {%- for row in rows -%}
        {%- do codes.update({row['identifier_type']: row['type_code'] | int}) -%}
        {%- do strengths[row['strength']].append(row['type_code'] | int) -%}
        {%- do ranks.append((row['strength'], row['priority'] | int)) -%}
    {%- endfor -%}
    {%- for row in rows -%}
        {%- set code = row['type_code'] | int -%}
        {%- if row['strength'] == 'exact' and row['max_per_profile'] != 1 -%} {%- do doubled.append(code) -%} {%- endif -%}
        {%- if row['max_per_profile'] is not none -%}
            {%- do limits.append((code, row['max_per_profile'] | int, none)) -%}
        {%- endif -%}
        {%- if row['max_per_window'] is not none -%}
            {%- do limits.append((code, row['max_per_window'] | int, row['window_days'] | int)) -%}
        {%- endif -%}
        {%- for column, neighbour in neighbours.items() if row[column] is not none and neighbour in codes -%}
            {%- do guards.append((code, codes[neighbour], row[column] | int)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return({'codes': codes, 'limits': limits, 'guards': guards, 'doubled': doubled, 'strengths': strengths,
        'fingerprint': local_md5(codes ~ ranks ~ limits ~ guards)[:15] | int(base=16)}) }}
{%- endmacro %}

{% macro type_name(type_code, rules) -%}
    case {{ type_code }}
    {%- for name, code in rules.codes.items() %} when {{ code }} then '{{ name }}' {%- endfor %} end
{%- endmacro %}

{% macro type_code_of(identifier_type, rules) -%}
    case {{ identifier_type }}
    {%- for name, code in rules.codes.items() %} when '{{ name }}' then {{ code }} {%- endfor %} end
{%- endmacro %}
