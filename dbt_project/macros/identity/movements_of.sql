{#- Increments of `profile_history`: which identifiers came to another profile, and what became of the one they left. -#}
{% macro movements_of(members) -%}
latest as (

    select node_id, profile_id, anchor_node_id, version
    from (
        select
            history.node_id,
            history.profile_id,
            history.anchor_node_id,
            history.version,
            row_number() over (partition by history.node_id order by history.version desc) as recency
        from {{ this }} as history
        where history.node_id in {{ among(members, 'node_id') }}
    ) as ranked
    where recency = 1

),

living as (

    -- found by number: ids of profiles are long
    select distinct anchor_node_id from {{ ref('profile_identifiers') }}
    where anchor_node_id in (
        select latest.anchor_node_id
        from latest
        inner join {{ members }} as members
            on latest.node_id = members.node_id
        where latest.profile_id <> members.profile_id
    )

),

moved as (

    select
        members.*,
        latest.profile_id as previous_profile_id,
        case
            when latest.profile_id is null then 'new'
            when living.anchor_node_id is null then 'merge'
            else 'split'
        end as cause,
        coalesce(latest.version, 0) + 1 as version
    from {{ members }} as members
    left join latest
        on members.node_id = latest.node_id
    left join living
        on latest.anchor_node_id = living.anchor_node_id
    where latest.profile_id is null
        or latest.profile_id <> members.profile_id

)
{%- endmacro %}
