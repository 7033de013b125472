{{ config(materialized='view') }}

select
    profile_id,
    attribute,
    attribute_value,
    source,
    record_id,
    told_at,
    rule,
    candidate_count,
    is_verified,
    _batch
from {{ ref('attribute_candidates') }}
where choice = 1
