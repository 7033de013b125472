{{ config(materialized='view') }}

-- the moments of each web event on its way; the cycle's moments are those of the batch it landed in, the last three
-- are of the message that a trigger sent because of it
with

cycles as (

    {{ optional_rows('ops', 'live_cycles', {
        'lane': dbt.type_string(), 'rows_landed_at': 'timestamp', 'began_at': 'timestamp', 'landed_at': 'timestamp', 'resolved_at': 'timestamp'}) }}

),

firings as (

    {{ optional_rows('activation', 'trigger_firings', {
        'source_id': dbt.type_string(), 'message_id': dbt.type_string(), 'due_at': 'timestamp'}) }}

),

messages as (

    {{ optional_rows('activation', 'outbox', {
        'message_id': dbt.type_string(), 'decided_at': 'timestamp', 'sent_at': 'timestamp',
        'acknowledged_at': 'timestamp'}) }}

)

select
    events.event_id,
    events.received_at,
    cycles.began_at as read_at,
    cycles.landed_at,
    cycles.resolved_at,
    -- what a trigger waits on purpose is no delay
    firings.due_at,
    messages.decided_at,
    messages.sent_at,
    messages.acknowledged_at
from {{ ref('stg_web_events__events') }} as events
inner join cycles
    on events._landed_at = cycles.rows_landed_at
    and cycles.lane = 'web_events.events'
left join firings
    on events.event_id = firings.source_id
left join messages
    on firings.message_id = messages.message_id
