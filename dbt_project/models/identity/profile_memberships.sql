{{ config(materialized='view') }}

-- in which profile an identifier was from when to when: ask with valid_from <= T and (valid_to > T or is_current)
select
    node_id,
    identifier_type,
    identifier_value,
    profile_id,
    cause,
    version,
    valid_from,
    lead(valid_from) over (partition by node_id order by version) as valid_to,
    lead(version) over (partition by node_id order by version) is null as is_current
from {{ ref('profile_history') }}
