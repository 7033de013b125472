-- every pair of evidence either joined its two ends or is a row of blocked_links
select pairs.left_node_id, pairs.right_node_id
from {{ ref('identifier_pairs') }} as pairs
inner join {{ ref('identifiers') }} as one
    on pairs.left_node_id = one.node_id
inner join {{ ref('identifiers') }} as other
    on pairs.right_node_id = other.node_id
left join {{ ref('profile_identifiers') }} as left_members
    on pairs.left_node_id = left_members.node_id
left join {{ ref('profile_identifiers') }} as right_members
    on pairs.right_node_id = right_members.node_id
left join {{ ref('blocked_links') }} as refused
    on one.identifier_type = refused.left_type
    and one.identifier_value = refused.left_value
    and other.identifier_type = refused.right_type
    and other.identifier_value = refused.right_value
where refused.reason is null
    and (left_members.profile_id is null or left_members.profile_id is distinct from right_members.profile_id)
