{{ config(materialized='view') }}

-- one row per merge and split: who went where, and which evidence made it so
select
    valid_from as changed_at,
    min(effective_at) as effective_at,
    cause,
    previous_profile_id as from_profile_id,
    profile_id as to_profile_id,
    count(*) as identifier_count,
    evidence_left_node_id,
    evidence_right_node_id,
    evidence_rule
from {{ ref('profile_history') }}
where cause <> 'new'
group by
    valid_from, cause, previous_profile_id, profile_id,
    evidence_left_node_id, evidence_right_node_id, evidence_rule
