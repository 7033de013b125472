{{ config(materialized='table') }}

{%- set restrictive_first = "case status when 'denied' then 0 when 'unknown' then 1 else 2 end" %}

with

decisions as (

    select * from {{ ref('consent_decisions') }}

),

latest_first as (

    select
        decisions.*,
        row_number() over (
            partition by identifier_type, identifier_value, purpose, channel
            order by decided_at desc, {{ restrictive_first }}, {{ cdp_bytewise('decision_id') }}
        ) as recency
    from decisions

),

-- people forget what they agreed to: a grant lasts thirteen months
standing as (

    select
        identifier_type,
        identifier_value,
        purpose,
        channel,
        case
            when status = 'granted'
                and decided_at < {{ dbt.dateadd('month', -13, dbt.date_trunc('day', cdp_now())) }} then 'unknown'
            else status
        end as status,
        source,
        decision_id,
        decided_at
    from latest_first
    where recency = 1

),

of_profiles as (

    select members.profile_id, standing.*
    from standing
    inner join {{ ref('profile_identifiers') }} as members
        on standing.identifier_type = members.identifier_type
        and standing.identifier_value = members.identifier_value

),

-- across the identifiers of a person the most restrictive wins
restrictive as (

    select
        of_profiles.*,
        row_number() over (
            partition by profile_id, purpose, channel
            order by {{ restrictive_first }}, decided_at desc, {{ cdp_bytewise('decision_id') }}
        ) as choice
    from of_profiles

)

select
    profile_id,
    purpose,
    channel,
    status,
    source,
    status = 'granted' as is_granted,
    decided_at
from restrictive
where choice = 1
