{#- Which identifiers each record of a judged source carries, one row per record and identifier.

    Reads every published version, not the latest: evidence once given stays. A load is known by its id,
    as clocks of sources differ; all rows of an entity that it touches are read again together, since a
    late load may have overtaken some, so that increments give what a full refresh gives. -#}
{% macro observe(source, judged, record_id, observed_at, identifiers, only='1 = 1') -%}
    {%- for identifier_type, column in identifiers %}
    select
        '{{ source }}' as source,
        cast({{ record_id }} as {{ dbt.type_string() }}) as record_id,
        '{{ identifier_type }}' as identifier_type,
        cast({{ column }} as {{ dbt.type_string() }}) as identifier_value,
        coalesce({{ observed_at }}, _landed_at) as observed_at,
        '{{ source }}-' || _entity_key as _subject,
        _row_id,
        _landed_at,
        _load_id
    from {{ judged }}
    where _outcome = 'published'
        and {{ only }}
        and {{ column }} is not null
        {%- if is_incremental() %}
        and _entity_key in (
            select fresh._entity_key
            from {{ judged }} as fresh
            where fresh._load_id not in (
                select distinct seen._load_id from {{ this }} as seen where seen.source = '{{ source }}'
            )
        )
        {%- endif %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
