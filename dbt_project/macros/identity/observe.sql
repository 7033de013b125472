{#- Which identifiers each record of a judged source carries, one row per record and identifier.

    Reads every published version, not the latest: evidence once given stays. A load is known by its id,
    as clocks of sources differ; all rows of an entity that it touches are read again together, since a
    late load may have overtaken some, so that increments give what a full refresh gives. -#}
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
        '{{ source }}-' || records._entity_key as _subject,
        records._row_id,
        records._landed_at,
        records._load_id
    from {{ judged }} as records
    cross join (
        {%- for identifier_type, _ in identifiers %}
        select {{ loop.index }} as position, '{{ identifier_type }}' as identifier_type
        {{- ' union all' if not loop.last }}
        {%- endfor %}
    ) as told
    where records._outcome = 'published'
        and {{ only }}
        {%- if is_incremental() %}
        and records._entity_key in (
            select fresh._entity_key
            from {{ judged }} as fresh
            left join (
                select distinct observed._load_id from {{ this }} as observed where observed.source = '{{ source }}'
            ) as seen
                on fresh._load_id = seen._load_id
            where seen._load_id is null
        )
        {%- endif %}
{%- endmacro %}
