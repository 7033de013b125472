{{ config(materialized='table') }}

with

links as (

    select * from {{ ref('identifier_links') }}

),

rules as (

    select * from {{ ref('identifier_rules') }}

),

pairs as (

    select
        left_node_id,
        right_node_id,
        min(left_type) as left_type,
        min(right_type) as right_type,
        max(case when rule = 'email_hash' then 1 else 0 end) = 1 as is_same_email,
        count(*) as link_count,
        min(observed_at) as first_observed_at,
        min(_landed_at) as first_landed_at
    from links
    group by left_node_id, right_node_id

)

select
    pairs.*,
    case
        when pairs.is_same_email then 0
        when left_rules.priority > right_rules.priority then left_rules.priority
        else right_rules.priority
    end as tier,
    case
        when pairs.is_same_email then 'exact'
        when left_rules.priority > right_rules.priority then left_rules.strength
        else right_rules.strength
    end as confidence,
    left_sighted.is_blocked or right_sighted.is_blocked as is_blocked
from pairs
inner join rules as left_rules
    on pairs.left_type = left_rules.identifier_type
inner join rules as right_rules
    on pairs.right_type = right_rules.identifier_type
inner join {{ ref('sighted_identifiers') }} as left_sighted
    on pairs.left_node_id = left_sighted.node_id
inner join {{ ref('sighted_identifiers') }} as right_sighted
    on pairs.right_node_id = right_sighted.node_id
