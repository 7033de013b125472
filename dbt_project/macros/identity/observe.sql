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
        records._batch as _judged_batch
    from {{ judged }} as records
    cross join (
        {%- for identifier_type, _ in identifiers %}
        select {{ loop.index }} as position, '{{ identifier_type }}' as identifier_type
        {{- ' union all' if not loop.last }}
        {%- endfor %}
    ) as told
    {%- if is_incremental() %}
    where records._batch > (
        select coalesce(max(known._judged_batch), 0) from {{ this }} as known where known.source = '{{ source }}'
    )
        -- a judged model that was refreshed alone counts from one again
        or (select max(newest._batch) from {{ judged }} as newest) < (
            select max(known._judged_batch) from {{ this }} as known where known.source = '{{ source }}'
        )
    {%- endif %}
{%- endmacro %}
