{#- Events to attribute again. -#}
{% macro stale_events(members) -%}
touched as (

    {{ unread_profiles() }}

),

-- new events, and those whose identifier has moved to another profile or turned out to be shared
stale as (

    select fresh.event_id
    from {{ ref('stg_web_events__events') }} as fresh
    where {{ is_unread('fresh._batch', '_events_batch') }}

    union distinct

    select attributed.event_id
    from {{ this }} as attributed
    left join {{ members }} as members
        on attributed._node_id = members.node_id
    where attributed._node_id is not null
        and attributed.profile_id in (select touched.profile_id from touched)
        and (members.profile_id is distinct from attributed.profile_id or members.is_shared <> attributed._is_shared)

)
{%- endmacro %}
