{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number') }}

with

landed as (

    {{ landed_rows('support', 'tickets') }}

),

typed as (

    select
        {{ filled('id') }} as ticket_id,
        {{ filled('requester_id') }} as support_user_id,
        {{ filled('subject') }} as subject,
        lower({{ filled('status') }}) as status,
        lower({{ filled('priority') }}) as priority,
        lower({{ filled('via_channel') }}) as channel,
        created_at,
        updated_at,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['ticket_id'],
    rules={
        'missing_ticket_id': "ticket_id is null",
        'missing_requester_id': "support_user_id is null",
        'unparsed_created_at': is_unparsed('created_at'),
        'missing_created_at': "created_at is null",
        'future_timestamp': is_in_future('created_at'),
    },
    columns=[
        'ticket_id', 'status', 'priority', 'channel', 'created_at', 'updated_at'
    ],
    personal=[
        'support_user_id', 'subject'
    ],
    identifiers=['support_user_id'],
) }}
