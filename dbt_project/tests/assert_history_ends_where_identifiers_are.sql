-- the last word of the history on an identifier is its profile of today
select members.node_id
from {{ ref('profile_identifiers') }} as members
left join (
    select
        history.*,
        row_number() over (partition by identifier_type, identifier_value order by version desc) as recency
    from {{ ref('profile_history') }} as history
) as latest
    on members.identifier_type = latest.identifier_type
    and members.identifier_value = latest.identifier_value
    and latest.recency = 1
where latest.profile_id is distinct from members.profile_id
