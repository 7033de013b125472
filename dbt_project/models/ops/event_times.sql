{{ config(materialized='view') }}

-- the moments of each web event on its way in; the cycle's moments are those of the batch it landed in
with

cycles as (

    {{ optional_rows('ops', 'live_cycles', {
        'lane': dbt.type_string(), 'rows_landed_at': 'timestamp', 'began_at': 'timestamp', 'landed_at': 'timestamp',
        'resolved_at': 'timestamp'}) }}

),

-- a row of raw that a load brought says nothing of when it was on disk
stored as (

    {{ optional_rows('raw', 'web_events__events', {'_row_id': dbt.type_string(), '_stored_at': 'timestamp'}) }}

)

select
    events.event_id,
    events.received_at,
    stored._stored_at as stored_at,
    cycles.began_at as read_at,
    cycles.landed_at,
    cycles.resolved_at
from {{ ref('stg_web_events__events') }} as events
inner join cycles
    on events._landed_at = cycles.rows_landed_at
    and cycles.lane = 'web_events.events'
left join stored
    on events._row_id = stored._row_id
