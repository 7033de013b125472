{#- Only what differs from the last build is written, with its number. A link that no longer counts is kept as
    history, withdrawn. -#}
{% macro link_changes(present) -%}
    {%- set kept = ['link_id', 'left_node_id', 'right_node_id', 'left_type', 'right_type', 'source', 'rule', 'record_id',
        'observed_at', 'confidence', 'score'] -%}
    select
        {% for column in kept %}present.{{ column }}, {% endfor -%}
        1 = 0 as is_withdrawn, present._landed_at, {{ next_graph_batch() }} as _batch
    from {{ present }} as present
    {%- if is_incremental() %}
    left join {{ this }} as known
        on present.link_id = known.link_id
        and present.score = known.score
        and not known.is_withdrawn
    where known.link_id is null

    union all

    select
        {% for column in kept %}known.{{ column }}, {% endfor -%}
        1 = 1 as is_withdrawn, known._landed_at, {{ next_graph_batch() }} as _batch
    from {{ this }} as known
    left join {{ present }} as present
        on known.link_id = present.link_id
    where present.link_id is null
        and not known.is_withdrawn
    {%- endif %}
{%- endmacro %}
