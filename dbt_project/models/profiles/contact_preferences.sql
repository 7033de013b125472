{{ config(materialized='table') }}

-- a person prefers the channel they acted on last: agreed to, or read

with

agreed as (

    select profile_id, channel, max(decided_at) as acted_at
    from {{ ref('consents') }}
    where is_granted
    group by profile_id, channel

),

acts as (

    select profile_id, channel, acted_at from agreed

    union all

    select profile_id, channel, last_seen_at
    from {{ ref('last_seen') }}
    where channel = 'email'

),

latest as (

    select profile_id, channel, max(acted_at) as acted_at
    from acts
    where channel in ('email', 'sms', 'push')
    group by profile_id, channel

)

select
    profile_id,
    channel,
    acted_at,
    cast(
        row_number() over (partition by profile_id order by acted_at desc, {{ cdp_bytewise('channel') }})
        as {{ dbt.type_bigint() }}
    ) as position
from latest
