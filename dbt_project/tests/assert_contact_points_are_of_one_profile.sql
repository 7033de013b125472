-- an address or number by which a profile is contacted is no other profile's
select email as contact_point
from {{ ref('profiles') }}
where email is not null
group by email
having count(*) > 1

union all

select phone
from {{ ref('profiles') }}
where phone is not null
group by phone
having count(*) > 1
