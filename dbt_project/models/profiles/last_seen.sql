{{ config(materialized='table') }}

with

members as (

    select * from {{ ref('profile_identifiers') }}

),

seen as (

    select profile_id, 'web' as channel, occurred_at as seen_at
    from {{ ref('profile_events') }}

    union all

    select profile_id, channel, ordered_at
    from {{ ref('orders') }}

    union all

    -- reading a message is being seen, being sent one is not
    select members.profile_id, 'email', events.occurred_at
    from {{ ref('stg_email_engagement__events') }} as events
    inner join members
        on coalesce({{ cdp_sha256('events.email') }}, events.email_sha256) = members.identifier_value
        and members.identifier_type = 'email_sha256'
    where events.email_event_type in ('opened', 'clicked')

    union all

    select members.profile_id, 'support', tickets.created_at
    from {{ ref('stg_support__tickets') }} as tickets
    inner join members
        on tickets.support_user_id = members.identifier_value
        and members.identifier_type = 'support_user_id'

)

select
    profile_id,
    channel,
    count(*) as seen_count,
    max(seen_at) as last_seen_at
from seen
where profile_id is not null
    and seen_at <= {{ cdp_now() }}
group by profile_id, channel
