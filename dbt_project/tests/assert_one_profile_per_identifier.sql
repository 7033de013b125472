-- every identifier that stands for somebody has exactly one profile, placeholders and withdrawn ones none
select identifiers.node_id
from {{ ref('identifiers') }} as identifiers
left join {{ ref('profile_identifiers') }} as members
    on identifiers.node_id = members.node_id
group by identifiers.node_id, identifiers.is_blocked, identifiers.observation_count
having count(distinct members.profile_id)
    <> case when identifiers.is_blocked or identifiers.observation_count = 0 then 0 else 1 end
