-- in the profile of a shared identifier is nothing else
select profile_id
from {{ ref('profile_identifiers') }}
group by profile_id
having max(case when is_shared then 1 else 0 end) = 1
    and count(distinct node_id) > 1
