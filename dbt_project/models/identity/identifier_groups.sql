{{ config(materialized='components') }}

-- which identifiers belong together: the materialisation turns these links into groups

with

pairs as (

    select * from {{ ref('identifier_pairs') }}

),

rules as (

    select * from {{ ref('identifier_rules') }}

),

shared as (

    select * from {{ ref('shared_identifiers') }}

)

select
    pairs.left_node_id,
    pairs.right_node_id,
    pairs.tier,
    left_rules.max_per_profile as left_limit,
    right_rules.max_per_profile as right_limit
from pairs
inner join rules as left_rules
    on pairs.left_type = left_rules.identifier_type
inner join rules as right_rules
    on pairs.right_type = right_rules.identifier_type
left join shared as left_shared
    on pairs.left_node_id = left_shared.node_id
left join shared as right_shared
    on pairs.right_node_id = right_shared.node_id
where not pairs.is_blocked
    and (pairs.is_same_email or (left_shared.node_id is null and right_shared.node_id is null))
