{{ config(materialized='table') }}

select
    profile_id,
    attribute,
    attribute_value,
    source,
    record_id,
    told_at,
    rule,
    candidate_count,
    is_verified
from {{ ref('attribute_candidates') }}
where choice = 1
