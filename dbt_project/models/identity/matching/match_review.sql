{{ config(materialized='view') }}

with

profiles as (

    select distinct node_id, profile_id from {{ ref('profile_identifiers') }}

),

living as (

    select record_key from {{ ref('person_records') }} where not is_withdrawn

),

-- two identifiers are asked about once, by the records that are most alike
ranked as (

    select
        scores.left_record_key,
        scores.right_record_key,
        scores.left_node_id,
        scores.right_node_id,
        left_profiles.profile_id as left_profile_id,
        right_profiles.profile_id as right_profile_id,
        {%- for comparison in person_comparisons() %}
        scores.{{ comparison.name }}_level,
        {%- endfor %}
        scores.match_weight,
        scores.score,
        scores.observed_at,
        scores._landed_at,
        row_number() over (
            partition by scores.left_node_id, scores.right_node_id
            order by scores.score desc, scores.match_weight desc,
                {{ cdp_bytewise('scores.left_record_key') }}, {{ cdp_bytewise('scores.right_record_key') }}
        ) as position
    from {{ ref('match_scores') }} as scores
    inner join {{ ref('match_thresholds') }} as thresholds
        on thresholds.model = 'person'
        and scores.score >= thresholds.review_score
        and scores.score < thresholds.auto_score
        and scores.is_more_than_a_name
    inner join living as one
        on scores.left_record_key = one.record_key
    inner join living as other
        on scores.right_record_key = other.record_key
    inner join profiles as left_profiles
        on scores.left_node_id = left_profiles.node_id
    inner join profiles as right_profiles
        on scores.right_node_id = right_profiles.node_id
    where left_profiles.profile_id <> right_profiles.profile_id

)

select
    left_record_key,
    right_record_key,
    left_node_id,
    right_node_id,
    left_profile_id,
    right_profile_id,
    {%- for comparison in person_comparisons() %}
    {{ comparison.name }}_level,
    {%- endfor %}
    match_weight,
    score,
    observed_at,
    _landed_at
from ranked
where position = 1
