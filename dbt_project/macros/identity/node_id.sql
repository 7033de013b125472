{#- A node is an identifier as one number: the type's code in the high bits, 59 bits of md5 below.
    Grouping by numbers is several times cheaper than by text, and the types that hold a person's
    many identifiers together sort first. Codes must never change: ids are stored. -#}
{% macro node_id(type_code, identifier_type, identifier_value) -%}
    cast({{ type_code }} as bigint) * 576460752303423488
    + {{ hash59(identifier_type ~ " || ':' || " ~ identifier_value) }}
{%- endmacro %}

{#- The node of a told identifier; an address and its SHA-256 are one. `rules` is joined by `type_of_node`. -#}
{% macro node_of(rules, told) -%}
    {%- set value = told ~ ".identifier_value" -%}
    {{ node_id(rules ~ '.type_code', rules ~ '.identifier_type',
        "case when " ~ told ~ ".identifier_type = 'email' then " ~ cdp_sha256(value) ~ " else " ~ value ~ " end") }}
{%- endmacro %}

{% macro type_of_node(identifier_type) -%}
    case {{ identifier_type }} when 'email_sha256' then 'email' else {{ identifier_type }} end
{%- endmacro %}

{% macro node_type_code(node_id) -%}
    {{ return(adapter.dispatch('node_type_code', 'cdp')(node_id)) }}
{%- endmacro %}

{% macro default__node_type_code(node_id) -%} ({{ node_id }} >> 59) {%- endmacro %}
{% macro snowflake__node_type_code(node_id) -%} bitshiftright({{ node_id }}, 59) {%- endmacro %}
{% macro spark__node_type_code(node_id) -%} shiftright({{ node_id }}, 59) {%- endmacro %}

{#- The first 59 bits of md5, as a non-negative bigint. -#}
{% macro hash59(text) -%}
    {{ return(adapter.dispatch('hash59', 'cdp')(text)) }}
{%- endmacro %}

{% macro default__hash59(text) -%}
    (cast('0x' || substr(md5({{ text }}), 1, 15) as bigint) >> 1)
{%- endmacro %}

{% macro postgres__hash59(text) -%}
    (cast(cast(('x0' || substr(md5({{ text }}), 1, 15)) as bit(64)) as bigint) >> 1)
{%- endmacro %}

{% macro snowflake__hash59(text) -%}
    bitshiftright(to_number(left(md5({{ text }}), 15), repeat('X', 15)), 1)
{%- endmacro %}

{% macro bigquery__hash59(text) -%}
    (cast(concat('0x', substr(to_hex(md5({{ text }})), 1, 15)) as int64) >> 1)
{%- endmacro %}

{% macro spark__hash59(text) -%}
    shiftright(cast(conv(substr(md5({{ text }}), 1, 15), 16, 10) as bigint), 1)
{%- endmacro %}
