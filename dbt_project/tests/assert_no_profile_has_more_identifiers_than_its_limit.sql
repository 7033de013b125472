-- no profile has two logins, nor more of any type than `identifier_rules` allows one person
select members.profile_id, rules.identifier_type
from {{ ref('profile_identifiers') }} as members
inner join {{ ref('identifier_rules') }} as rules
    on members.identifier_type = rules.identifier_type
group by members.profile_id, rules.identifier_type, rules.max_per_profile
having count(distinct members.node_id) > rules.max_per_profile
