{#- Which records are worth comparing: those that agree on a blocking key, each pair once, smaller node first.

    `records` has record_key, node_id, is_new, _landed_at, _batch and what the keys are made of. Of a key that more
    records share than its limit, the first to land are paired. A pair has at least one new record. -#}
{% macro match_pairs(records, blocks) -%}
    select
        keyed_left.record_key as left_record_key,
        keyed_right.record_key as right_record_key,
        min(keyed_left.node_id) as left_node_id,
        min(keyed_right.node_id) as right_node_id,
        min({{ cdp_bytewise('keyed_left.block') }}) as block,
        max(case when keyed_left._batch > keyed_right._batch then keyed_left._batch else keyed_right._batch end) as _batch
    from ({{ match_keys(records, blocks) }}) as keyed_left
    inner join ({{ match_keys(records, blocks) }}) as keyed_right
        on keyed_left.block = keyed_right.block
        and keyed_left.block_key = keyed_right.block_key
        and keyed_left.node_id < keyed_right.node_id
    where keyed_left.position <= keyed_left.most
        and keyed_right.position <= keyed_right.most
        and (keyed_left.is_new or keyed_right.is_new)
    group by keyed_left.record_key, keyed_right.record_key
{%- endmacro %}

{% macro match_keys(records, blocks) -%}
    {%- for block, key, most in blocks %}
        select
            '{{ block }}' as block, {{ most }} as most, record_key, node_id, is_new, _batch,
            {{ key }} as block_key,
            row_number() over (partition by {{ key }} order by _landed_at, {{ cdp_bytewise('record_key') }}) as position
        from {{ records }}
        where {{ key }} is not null
        {{- ' union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
