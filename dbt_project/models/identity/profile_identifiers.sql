{{ config(materialized='table') }}

with

identifiers as (

    select * from {{ ref('identifiers') }} where not is_blocked

),

grouped as (

    select
        identifiers.*,
        coalesce(groups.component_id, identifiers.node_id) as component_id
    from identifiers
    left join {{ ref('identifier_groups') }} as groups
        on identifiers.node_id = groups.node_id

),

-- the oldest arrival names the profile: later evidence can't change it, unless it is parted from it
anchored as (

    select
        grouped.*,
        first_value(grouped.node_id) over (
            partition by grouped.component_id
            order by grouped.first_landed_at, grouped.node_id
            rows between unbounded preceding and unbounded following
        ) as anchor_node_id
    from grouped

),

accepted as (

    select pairs.*
    from {{ ref('identifier_pairs') }} as pairs
    inner join grouped as left_grouped
        on pairs.left_node_id = left_grouped.node_id
    inner join grouped as right_grouped
        on pairs.right_node_id = right_grouped.node_id
    where left_grouped.component_id = right_grouped.component_id

),

ties as (

    select left_node_id as node_id, confidence, first_landed_at from accepted
    union all
    select right_node_id, confidence, first_landed_at from accepted

),

-- an identifier is as sure as the best evidence that ties it to the others of its profile
strongest as (

    select
        node_id,
        min(case confidence when 'exact' then 1 when 'strict' then 2 else 3 end) as confidence_rank,
        min(first_landed_at) as first_tied_at
    from ties
    group by node_id

)

select
    anchored.node_id,
    anchored.identifier_type,
    anchored.identifier_value,
    'p_' || substr(md5('profile:' || cast(anchored.anchor_node_id as {{ dbt.type_string() }})), 1, 20) as profile_id,
    case coalesce(strongest.confidence_rank, 1) when 1 then 'exact' when 2 then 'strict' else 'loose' end as confidence,
    anchored.is_shared,
    coalesce(strongest.first_tied_at, anchored.first_landed_at) as since,
    anchored.first_seen_at,
    anchored.last_seen_at
from anchored
left join strongest
    on anchored.node_id = strongest.node_id
