{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number') }}

with

landed as (

    {{ landed_rows('support', 'comments') }}

),

typed as (

    select
        {{ filled('id') }} as comment_id,
        {{ filled('ticket_id') }} as ticket_id,
        {{ filled('user_id') }} as support_user_id,
        {{ filled('body') }} as body,
        coalesce(landed.public, 1 = 0) as is_public,
        created as commented_at,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['comment_id'],
    rules={
        'missing_comment_id': "comment_id is null",
        'missing_ticket_id': "ticket_id is null",
        'unparsed_created': is_unparsed('created'),
        'missing_created': "commented_at is null",
        'future_timestamp': is_in_future('commented_at'),
    },
    columns=[
        'comment_id', 'ticket_id', 'is_public', 'commented_at'
    ],
    personal=[
        'support_user_id', 'body'
    ],
    identifiers=['support_user_id'],
    repeats='contradictions',
) }}
