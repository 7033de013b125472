-- the last word of the history on an identifier is its profile of today
select members.node_id
from {{ ref('profile_identifiers') }} as members
left join {{ ref('profile_memberships') }} as latest
    on members.node_id = latest.node_id
    and latest.is_current
where latest.profile_id is distinct from members.profile_id
