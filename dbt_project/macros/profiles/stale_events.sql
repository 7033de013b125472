{#- Events to attribute again. -#}
{% macro stale_events(members) -%}
-- who came to another profile, or whom nobody tells of any more
moved as (

    select node_id from {{ ref('identifier_groups') }} where {{ is_unread('_moved_batch', '_groups_batch') }}
    union distinct
    select node_id from {{ ref('identifiers') }}
    where {{ is_unread('_observations_batch', '_observations_batch') }}
        and observation_count = 0

),

-- the numbers alone first: mostly nobody moves, and then no other column is read
of_moved as (

    select attributed.event_id, attributed._node_id, attributed.profile_id, attributed._is_shared
    from {{ this }} as attributed
    where attributed._node_id in (
        select seen._node_id from {{ this }} as seen where seen._node_id in {{ among('moved', 'node_id') }}
    )

),

-- those whose identifier has moved to another profile or turned out to be shared; who belongs to a group that changed
-- was written again
stale as (

    select of_moved.event_id
    from of_moved
    left join (select * from {{ members }} where {{ is_unread('_groups_batch', '_groups_batch') }}) as members
        on of_moved._node_id = members.node_id
    where members.profile_id is distinct from of_moved.profile_id or members.is_shared <> of_moved._is_shared

)
{%- endmacro %}
