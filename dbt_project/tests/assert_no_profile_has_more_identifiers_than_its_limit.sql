-- no profile has two logins, nor more of any type than `identifier_rules` allows one person
select members.profile_id, members.identifier_type
from {{ ref('profile_identifiers') }} as members
inner join {{ ref('identifier_rules') }} as rules
    on members.identifier_type = rules.identifier_type
group by members.profile_id, members.identifier_type, rules.max_per_profile
having count(*) > rules.max_per_profile
