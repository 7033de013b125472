{{ config(materialized='table') }}

with

pairs as (

    select * from {{ ref('identifier_pairs') }}

),

identifiers as (

    select * from {{ ref('identifiers') }}

),

members as (

    select node_id, profile_id from {{ ref('profile_identifiers') }}

),

judged as (

    select
        one.identifier_type as left_type,
        one.identifier_value as left_value,
        other.identifier_type as right_type,
        other.identifier_value as right_value,
        case
            when pairs.is_blocked then 'blocked_value'
            when (one.is_shared or other.is_shared) and not pairs.is_same_email then 'shared_identifier'
            when left_members.profile_id <> right_members.profile_id then 'too_many_for_one_profile'
        end as reason,
        pairs.link_count,
        pairs.first_observed_at,
        left_members.profile_id as left_profile_id,
        right_members.profile_id as right_profile_id
    from pairs
    inner join identifiers as one
        on pairs.left_node_id = one.node_id
    inner join identifiers as other
        on pairs.right_node_id = other.node_id
    left join members as left_members
        on pairs.left_node_id = left_members.node_id
    left join members as right_members
        on pairs.right_node_id = right_members.node_id

)

select * from judged where reason is not null
