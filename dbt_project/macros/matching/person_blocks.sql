{#- Only records that agree on one of these are compared: (name, what they agree on, most records). Of a value that
    more records share than that, the first to land are compared and the rest are not; else a common value would
    cost the square of its frequency. -#}
{% macro person_blocks() -%}
    {{ return([
        ('email', "email", 50),
        ('phone', "phone", 50),
        ('name_and_birth', "last_name || '|' || " ~ as_text('birth_on'), 50),
        ('first_name_and_birth', "canonical_first_name || '|' || " ~ as_text('birth_on'), 50),
        ('address_and_postal_code', "address_line || '|' || postal_code", 50),
        ('name_and_postal_code', "substr(last_name, 1, 4) || '|' || postal_code", 100),
        ('number_and_postal_code', cdp_split_part('address_line', ' ', 1) ~ " || '|' || postal_code", 50),
        ('birth_and_postal_code', as_text('birth_on') ~ " || '|' || postal_code", 50),
        ('initial_and_name', "substr(first_name, 1, 1) || '|' || last_name", 100),
    ]) }}
{%- endmacro %}
