{#- Observations in the shape in which `identifiers` adds them up, also to what it has counted before. -#}
{% macro counted_observations(relation) -%}
select
        node_id, identifier_type, identifier_value, email_sha256, 1 = 0 as is_collided,
        case when is_withdrawn then 0 else 1 end as observation_count,
        case when not is_withdrawn then observed_at end as first_seen_at,
        case when not is_withdrawn then observed_at end as last_seen_at,
        case when not is_withdrawn then _landed_at end as first_told_at,
        _landed_at as first_landed_at,
        case when not is_withdrawn and identifier_type <> 'email_sha256' then observed_at end as last_record_at,
        case when not is_withdrawn and identifier_type <> 'email_sha256' then source || ':' || record_id end as last_record,
        _batch
    from {{ relation }}
{%- endmacro %}

{#- A row per identifier, and the record that told it last. -#}
{% macro added_up(counted) -%}
seen as (

    select
        node_id,
        case when max(email_sha256) is null then min(identifier_type)
            when max(case when identifier_type = 'email' then 1 else 0 end) = 1 then 'email'
            else 'email_sha256'
        end as identifier_type,
        coalesce(
            min(case when identifier_type <> 'email_sha256' then identifier_value end), min(email_sha256)
        ) as identifier_value,
        min(email_sha256) as email_sha256,
        max(case when is_collided then 1 else 0 end) = 1
        or min(coalesce(email_sha256, identifier_value)) <> max(coalesce(email_sha256, identifier_value))
            as is_collided,
        sum(observation_count) as observation_count,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        min(first_told_at) as first_told_at,
        min(first_landed_at) as first_withdrawn_at,
        max(_batch) as _observations_batch
    from {{ counted }} as counted
    group by node_id

),

latest as (

    select node_id, last_record, last_record_at
    from (
        select
            counted.*,
            row_number() over (
                partition by node_id order by last_record_at desc nulls last, {{ cdp_bytewise('last_record') }}
            ) as recency
        from {{ counted }} as counted
        where last_record is not null
    ) as ranked
    where recency = 1

)
{%- endmacro %}
