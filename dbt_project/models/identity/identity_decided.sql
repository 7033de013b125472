{{ config(materialized='view') }}

-- what reviewers decided and still holds: the newest word on a pair
with

decisions as (

    select
        least(left_node_id, right_node_id) as left_node_id,
        greatest(left_node_id, right_node_id) as right_node_id,
        decision,
        reason,
        owner,
        decided_on,
        row_number() over (
            partition by least(left_node_id, right_node_id), greatest(left_node_id, right_node_id)
            order by decided_on desc, {{ cdp_bytewise('decision') }}
        ) as recency
    from {{ ref('identity_decisions') }}
    where left_node_id <> right_node_id
        and (expires_on is null or cast(expires_on as timestamp) > {{ cdp_now() }})

)

select
    left_node_id,
    right_node_id,
    decision,
    reason,
    owner,
    cast(decided_on as timestamp) as decided_at
from decisions
where recency = 1
