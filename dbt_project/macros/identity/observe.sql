{#- Which identifiers each record of a judged source carries, one row per record and identifier.

    Reads every published version, not the latest: evidence once given stays. Records that were judged again since
    (a late load may have overtaken some) are read again whole, those no longer published too: their `is_told` is
    false, and what they said before is withdrawn. -#}
{% macro observe(source, judged, record_id, observed_at, identifiers, only='1 = 1') -%}
    select
        '{{ source }}' as source,
        cast(records.{{ record_id }} as {{ dbt.type_string() }}) as record_id,
        told.identifier_type,
        case told.position
            {%- for _, column in identifiers %}
            when {{ loop.index }} then records.{{ column }}
            {%- endfor %}
        end as identifier_value,
        coalesce(records.{{ observed_at }}, records._landed_at) as observed_at,
        records._outcome = 'published' and {{ only }} as is_told,
        '{{ source }}-' || records._entity_key as _subject,
        records._row_id,
        records._landed_at,
        records._load_id,
        records._batch as _judged_batch,
        coalesce(records._is_repeated, 1 = 1) as _is_repeated
    from (
        select * from {{ judged }}
        {%- if is_incremental() %}
        where _batch > (select unread.after_batch from ({{ read_up_to(source, judged) }}) as unread)
        {%- endif %}
    ) as records
    {#- An increment's cross join would be made before its rows are chosen. #}
    {{ 'left' if is_incremental() else 'cross' }} join (
        {%- for identifier_type, _ in identifiers %}
        select {{ loop.index }} as position, '{{ identifier_type }}' as identifier_type
        {{- ' union all' if not loop.last }}
        {%- endfor %}
    ) as told {{ 'on 1 = 1' if is_incremental() }}
{%- endmacro %}

{#- The batch of a judged model behind which a build goes on: none when that model was refreshed alone and counts from one
    again. One comparison, so that an engine reads only the blocks that are newer. -#}
{% macro read_up_to(source, judged) -%}
    select
        cast(case when max(newest_batch) < max(read_batch) then 0 else coalesce(max(read_batch), 0) end as integer)
            as after_batch
    from (
        select {{ newest(judged) }} as newest_batch, 0 as read_batch
        union all
        select 0, known._judged_batch
        from (
            select told._judged_batch from {{ this }} as told
            where told.source = '{{ source }}'
            order by told._judged_batch desc nulls last
            limit 1
        ) as known
    ) as batches
{%- endmacro %}
