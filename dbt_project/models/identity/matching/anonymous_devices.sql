{{ config(materialized='table') }}

with

events as (

    select
        *,
        case when user_id is null and coalesce(email, email_sha256, phone, loyalty_number, order_id) is not null
            then 1 else 0 end as is_told_otherwise
    from {{ ref('judged_web_events__events') }}
    where _outcome = 'published'
        and anonymous_id is not null
        and not coalesce(is_bot, false)

)

select
    {{ node_id('rules.type_code', "'anonymous_id'", 'events.anonymous_id') }} as node_id,
    events.anonymous_id,
    events.ip_prefix,
    events.user_agent,
    events.device_type,
    events.screen_size,
    {{ window_number('events.occurred_at') }} as window_number,
    min(events.user_id) as user_id,
    count(distinct events.user_id) as user_count,
    max(events.is_told_otherwise) = 1 as is_told_otherwise,
    count(*) as event_count,
    min(events.occurred_at) as first_seen_at,
    max(events.occurred_at) as last_seen_at,
    min(events._landed_at) as first_landed_at
from events
inner join {{ ref('identifier_rules') }} as rules
    on rules.identifier_type = 'anonymous_id'
group by 1, 2, 3, 4, 5, 6, 7
