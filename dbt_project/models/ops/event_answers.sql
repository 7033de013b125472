{{ config(materialized='view') }}

-- what an event brought about outside, and when: a message, a change of an ad list, a change of an audience. What a
-- trigger waits on purpose is no delay, so the clock of an answer begins when it is due.
with

firings as (

    {{ optional_rows('activation', 'trigger_firings', {
        'trigger_name': dbt.type_string(), 'profile_id': dbt.type_string(), 'source_id': dbt.type_string(),
        'message_id': dbt.type_string(), 'product_id': dbt.type_string(), 'due_at': 'timestamp',
        'decided_at': 'timestamp'}) }}

),

messages as (

    {{ optional_rows('activation', 'outbox', {
        'message_id': dbt.type_string(), 'trigger_name': dbt.type_string(), 'decided_at': 'timestamp',
        'sent_at': 'timestamp', 'acknowledged_at': 'timestamp'}) }}

),

lists as (

    {{ optional_rows('activation', 'list_answers', {
        'trigger_name': dbt.type_string(), 'list_name': dbt.type_string(), 'profile_id': dbt.type_string(),
        'decided_at': 'timestamp', 'sent_at': 'timestamp', 'acknowledged_at': 'timestamp'}) }}

)

select
    firings.source_id as event_id,
    'message' as kind,
    messages.trigger_name as name,
    firings.due_at,
    messages.decided_at,
    messages.sent_at,
    messages.acknowledged_at
from firings
inner join messages
    on firings.message_id = messages.message_id
where firings.source_id is not null

union all

select
    firings.source_id,
    'list',
    lists.list_name,
    firings.due_at,
    lists.decided_at,
    lists.sent_at,
    lists.acknowledged_at
from firings
inner join lists
    on firings.trigger_name = lists.trigger_name
    and firings.profile_id = lists.profile_id
    and firings.decided_at = lists.decided_at
    and (firings.product_id is null or lists.list_name like '%' || firings.product_id)
where firings.source_id is not null

union all

select
    event_id,
    'audience',
    sync_name,
    received_at,
    resolved_at,
    started_at,
    acknowledged_at
from {{ ref('audience_answers') }}
