{{ config(materialized='view') }}

-- any id ever given leads to the profile of today in one hop: the one that has the identifier the id was named after
select
    issued.profile_id,
    members.profile_id as current_profile_id,
    issued.profile_id = members.profile_id as is_current
from (
    select distinct profile_id, anchor_node_id from {{ ref('profile_history') }}
) as issued
inner join (
    select distinct node_id, profile_id from {{ ref('profile_identifiers') }}
) as members
    on issued.anchor_node_id = members.node_id
