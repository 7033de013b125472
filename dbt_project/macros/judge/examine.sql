{# The CTEs of `judge` that look at each row alone: what it is about, says and breaks, and whether it may be kept. #}
{% macro examine(relation, key, rules, kept, identifiers, hashes, repeats, suppress_when) -%}
keyed as (

    select
        *,
        case
            when {{ key | join(' is null or ') }} is null then _row_hash
            else {{ content_hash(key) }}
        end as _entity_key
    from {{ relation }}

),

examined as (

    select
        {% for column in kept %}{{ column }},
        {% endfor -%}
        _row_id,
        _source_file,
        _row_number,
        _landed_at,
        _load_id,
        _entity_key,
        {{ hash59('_entity_key') }} as _entity_number,
        {% if repeats == 'ignored' -%}
        _row_hash as _content_hash,
        {%- else -%}
        case when _variants is null then {{ content_hash(kept) }} else _row_hash end as _content_hash,
        {%- endif %}
        case
            {%- for rule, condition in rules.items() %}
            when {{ condition }} then '{{ rule }}'
            {%- endfor %}
        end as _broken_rule,
        {{ suppression(identifiers, hashes, suppress_when) }} as _is_suppressed,
        1 = 0 as _is_duplicate
    from keyed

),
{%- endmacro %}
