{#- How two records of people are compared: per column the levels of likeness, best first. Each level is a
    condition on <column>_l and <column>_r, so the same text scores in the warehouse and trains in Splink.
    Whatever is in no level is level 0; an empty side says nothing. What a level is worth is trained: the
    seed `match_parameters`. After a change here: `cdp identity train`, then a full refresh of match_scores. -#}
{% macro person_comparisons() -%}
    {{ return([
        compared('first_name', [
            ('same', "first_name_l = first_name_r"),
            ('same after nicknames', "canonical_first_name_l = canonical_first_name_r"),
            ('one letter differs', cdp_levenshtein('first_name_l', 'first_name_r') ~ " <= 1"),
            ('one begins with the other', begins_alike('first_name')),
            ('two letters differ', cdp_levenshtein('first_name_l', 'first_name_r') ~ " <= 2"),
        ]),
        compared('last_name', [
            ('same', "last_name_l = last_name_r"),
            ('one letter differs', cdp_levenshtein('last_name_l', 'last_name_r') ~ " <= 1"),
            ('one begins with the other', begins_alike('last_name')),
            ('two letters differ', cdp_levenshtein('last_name_l', 'last_name_r') ~ " <= 2"),
        ]),
        compared('birth_on', [
            ('same', "birth_on_l = birth_on_r"),
            ('one digit differs', cdp_levenshtein(as_text('birth_on_l'), as_text('birth_on_r')) ~ " <= 1"),
            ('day and month swapped', swapped_day('birth_on')),
            ('two digits differ', cdp_levenshtein(as_text('birth_on_l'), as_text('birth_on_r')) ~ " <= 2"),
        ]),
        compared('address_line', [
            ('same', "address_line_l = address_line_r"),
            ('three letters differ', cdp_levenshtein('address_line_l', 'address_line_r') ~ " <= 3"),
            ('same number', cdp_split_part('address_line_l', ' ', 1) ~ " = " ~ cdp_split_part('address_line_r', ' ', 1)),
        ]),
        compared('postal_code', [
            ('same', "postal_code_l = postal_code_r"),
            ('one letter differs', cdp_levenshtein('postal_code_l', 'postal_code_r') ~ " <= 1"),
        ]),
        compared('city', [
            ('same', "city_l = city_r"),
            ('two letters differ', cdp_levenshtein('city_l', 'city_r') ~ " <= 2"),
        ]),
        not_equal('email', [
            ('two letters differ', cdp_levenshtein('email_l', 'email_r') ~ " <= 2"),
            ('same mailbox elsewhere', cdp_split_part('email_l', '@', 1) ~ " = " ~ cdp_split_part('email_r', '@', 1)),
        ]),
        not_equal('phone', [
            ('one digit differs', cdp_levenshtein('phone_l', 'phone_r') ~ " <= 1"),
        ]),
    ]) }}
{%- endmacro %}

{#- A name alone links nobody, however rare it is here: somewhere there is another. Nor with a telephone number
    that is nearly the same: companies and families have neighbouring ones. -#}
{% macro is_more_than_a_name(levels) -%}
    {%- set others = [] -%}
    {%- for comparison in person_comparisons() if comparison.name not in ('first_name', 'last_name', 'phone') -%}
        {%- do others.append(levels ~ "." ~ comparison.name ~ "_level > 0") -%}
    {%- endfor -%}
    {{ return(others | join(' or ')) }}
{%- endmacro %}

{% macro compared(column, levels) -%}
    {{ return({'name': column, 'unknown': column ~ "_l is null or " ~ column ~ "_r is null", 'levels': levels}) }}
{%- endmacro %}

{#- For what the identity graph joins by: that two records share it says nothing here. Either it has joined them
    already, or it refused because the address or number is several people's. -#}
{% macro not_equal(column, levels) -%}
    {{ return({
        'name': column,
        'unknown': column ~ "_l is null or " ~ column ~ "_r is null or " ~ column ~ "_l = " ~ column ~ "_r",
        'levels': levels,
    }) }}
{%- endmacro %}

{% macro begins_alike(column) -%}
    {%- set one, other = column ~ '_l', column ~ '_r' -%}
    {{ return("(substr(" ~ one ~ ", 1, length(" ~ other ~ ")) = " ~ other
        ~ " or substr(" ~ other ~ ", 1, length(" ~ one ~ ")) = " ~ one ~ ")") }}
{%- endmacro %}

{% macro swapped_day(column) -%}
    {%- set one, other = as_text(column ~ '_l'), as_text(column ~ '_r') -%}
    {{ return("substr(" ~ one ~ ", 1, 5) || substr(" ~ one ~ ", 9, 2) || '-' || substr(" ~ one ~ ", 6, 2) = " ~ other) }}
{%- endmacro %}

{% macro as_text(value) -%}
    {{ return("cast(" ~ value ~ " as " ~ dbt.type_string() ~ ")") }}
{%- endmacro %}
