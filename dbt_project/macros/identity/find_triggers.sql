{#- What parted or joined profiles: of the pairs that are new in this build, the first by strength and arrival. A merge is
    told by a pair within the profile, a split by one that no longer joins. -#}
{% macro find_triggers(moved, told) -%}
movements as (

    select distinct profile_id, previous_profile_id, cause from {{ moved }} where cause <> 'new'

),

changed_pairs as (

    select * from {{ ref('identifier_pairs') }} where {{ is_unread('_batch', '_pairs_batch') }}

),

ends as (

    select left_node_id as node_id from changed_pairs
    union all
    select right_node_id from changed_pairs

),

owners as (

    -- whoever belongs to a pair that changed was written again
    select distinct node_id, profile_id from {{ told }} as told where node_id in {{ among('ends', 'node_id') }}

),

triggers as (

    select *
    from (
        select
            movements.profile_id,
            movements.previous_profile_id,
            changed_pairs.left_node_id,
            changed_pairs.right_node_id,
            coalesce(changed_pairs.decision, changed_pairs.rule, 'withdrawn') as rule,
            changed_pairs.first_observed_at,
            row_number() over (
                partition by movements.profile_id, movements.previous_profile_id
                order by
                    case
                        when movements.cause = 'merge' and left_owners.profile_id = right_owners.profile_id then 0
                        when movements.cause = 'split' and left_owners.profile_id <> right_owners.profile_id then 0
                        else 1
                    end,
                    changed_pairs.tier,
                    changed_pairs.first_landed_at,
                    changed_pairs.left_node_id,
                    changed_pairs.right_node_id
            ) as position
        from movements
        inner join owners as left_owners
            on left_owners.profile_id in (movements.profile_id, movements.previous_profile_id)
        inner join changed_pairs
            on left_owners.node_id = changed_pairs.left_node_id
        left join owners as right_owners
            on changed_pairs.right_node_id = right_owners.node_id
    ) as ranked
    where position = 1

)
{%- endmacro %}

{% macro no_triggers() -%}
triggers as (

    select
        cast(null as {{ dbt.type_string() }}) as profile_id,
        cast(null as {{ dbt.type_string() }}) as previous_profile_id,
        cast(null as bigint) as left_node_id,
        cast(null as bigint) as right_node_id,
        cast(null as {{ dbt.type_string() }}) as rule,
        cast(null as timestamp) as first_observed_at

)
{%- endmacro %}
