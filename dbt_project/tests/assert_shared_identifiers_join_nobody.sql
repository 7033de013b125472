-- in the profile of a shared identifier is nothing else, but that an address is with its hash
select profile_id
from {{ ref('profile_identifiers') }}
group by profile_id
having max(case when is_shared then 1 else 0 end) = 1
    and (
        min(case when is_shared then 1 else 0 end) = 0
        or count(*) > 2
        or (count(*) = 2 and (min(identifier_type) <> 'email' or max(identifier_type) <> 'email_sha256'))
    )
