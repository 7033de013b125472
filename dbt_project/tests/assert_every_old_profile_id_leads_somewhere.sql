-- an id that was given once leads to one profile that lives, in one hop
select issued.profile_id
from (select distinct profile_id, anchor_node_id from {{ ref('profile_history') }}) as issued
inner join {{ ref('identifiers') }} as anchors
    on issued.anchor_node_id = anchors.node_id
left join {{ ref('profile_redirects') }} as redirects
    on issued.profile_id = redirects.profile_id
where redirects.profile_id is null
    and not anchors.is_blocked
    and anchors.observation_count > 0
