{{ config(materialized='view') }}

-- which events changed an audience at a destination: the first run of its sync after an event was resolved, if it
-- delivered a change of the event's person
with

events as (

    select
        times.event_id,
        times.received_at,
        times.resolved_at,
        who.profile_id
    from {{ ref('event_times') }} as times
    inner join {{ ref('profile_events') }} as who
        on times.event_id = who.event_id

),

runs as (

    {{ optional_rows('activation', 'sync_runs', {
        'run_id': dbt.type_string(), 'sync_name': dbt.type_string(), 'started_at': 'timestamp'}) }}

),

attempts as (

    {{ optional_rows('activation', 'attempts', {
        'run_id': dbt.type_string(), 'profile_id': dbt.type_string(), 'outcome': dbt.type_string(),
        'attempted_at': 'timestamp'}) }}

),

spans as (

    select
        runs.*,
        lag(started_at) over (partition by sync_name order by started_at) as previous_started_at
    from runs

)

select
    events.event_id,
    spans.sync_name,
    events.received_at,
    events.resolved_at,
    spans.started_at,
    max(attempts.attempted_at) as acknowledged_at
from events
inner join attempts
    on events.profile_id = attempts.profile_id
inner join spans
    on attempts.run_id = spans.run_id
    and events.resolved_at <= spans.started_at
    and events.resolved_at > spans.previous_started_at
where attempts.outcome = 'delivered'
group by events.event_id, spans.sync_name, events.received_at, events.resolved_at, spans.started_at
