{{ config(materialized='incremental', unique_key='link_id', on_schema_change='fail') }}

with

thresholds as (

    select * from {{ ref('match_thresholds') }}

),

living as (

    select record_key, email, phone from {{ ref('person_records') }} where not is_withdrawn

),

people as (

    select
        scores.left_node_id,
        scores.right_node_id,
        'probable_person' as rule,
        scores.left_record_key || '-' || scores.right_record_key as record_id,
        scores.observed_at,
        scores.score,
        scores._landed_at
    from {{ ref('match_scores') }} as scores
    inner join living as one
        on scores.left_record_key = one.record_key
    inner join living as other
        on scores.right_record_key = other.record_key
    inner join thresholds
        on thresholds.model = 'person'
        and scores.is_more_than_a_name
        -- an address or a number in common counts for nothing in the score, but it makes chance far less likely
        and (
            scores.score >= thresholds.auto_score
            or (scores.score >= thresholds.review_score and (one.email = other.email or one.phone = other.phone))
        )

),

devices as (

    select
        left_node_id,
        right_node_id,
        'probable_device' as rule,
        cast(null as {{ dbt.type_string() }}) as record_id,
        observed_at,
        score,
        _landed_at
    from {{ ref('device_matches') }}

),

typed as (

    select people.* from people
    union all
    select devices.* from devices

),

present as (

    select
        {{ cdp_md5("typed.rule || ' ' || coalesce(typed.record_id, " ~ as_text('typed.left_node_id') ~ " || '-' || "
            ~ as_text('typed.right_node_id') ~ ")") }} as link_id,
        typed.left_node_id,
        typed.right_node_id,
        left_rules.identifier_type as left_type,
        right_rules.identifier_type as right_type,
        'matching' as source,
        typed.rule,
        typed.record_id,
        typed.observed_at,
        'loose' as confidence,
        typed.score,
        typed._landed_at
    from typed
    inner join {{ ref('identifier_rules') }} as left_rules
        on {{ node_type_code('typed.left_node_id') }} = left_rules.type_code
    inner join {{ ref('identifier_rules') }} as right_rules
        on {{ node_type_code('typed.right_node_id') }} = right_rules.type_code

)

{{ link_changes('present') }}
