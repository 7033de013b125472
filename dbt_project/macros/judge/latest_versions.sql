{# The newest published version of each entity; increments look again only at entities judged since the last build. #}
{% macro latest_versions(judged, key, newest_first='_landed_at') -%}
select *
from (
    select
        *,
        row_number() over (
            partition by {{ key }}
            order by
                {{ newest_first }} desc nulls last,
                _landed_at desc,
                {{ cdp_bytewise('_load_id') }} desc,
                {{ cdp_bytewise('_source_file') }} desc,
                _row_number desc,
                {{ cdp_bytewise('_row_id') }} desc
        ) as _version
    from {{ judged }}
    where
        _outcome = 'published'
        {%- if is_incremental() %}
        and _entity_key in (
            select fresh._entity_key from {{ judged }} as fresh where {{ is_new_batch('fresh._batch', judged) }}
        )
        {%- endif %}
) as versions
where _version = 1
{%- endmacro %}
