{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number') }}

with

landed as (

    {{ landed_rows('email_engagement', 'events') }}

),

typed as (

    select
        {{ filled('id') }} as email_event_id,
        {{ normalise_email('email') }} as email,
        case
            when {{ cdp_regex_like('lower(trim(email_sha256))', '^[0-9a-f]{64}$') }}
                then lower(trim(email_sha256))
        end as email_sha256,
        case trim(metric)
            when 'Received Email' then 'sent'
            when 'Opened Email' then 'opened'
            when 'Clicked Email' then 'clicked'
            when 'Unsubscribed' then 'unsubscribed'
            when 'Bounced Email' then 'bounced'
            when 'Marked Email as Spam' then 'complained'
        end as email_event_type,
        {{ filled('campaign_id') }} as campaign_id,
        {{ filled('property_url') }} as url,
        landed.datetime as occurred_at,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['email_event_id'],
    rules={
        'missing_email_event_id': "email_event_id is null",
        'unknown_metric': "email_event_type is null",
        'missing_identifier': "email is null and email_sha256 is null",
        'unparsed_datetime': is_unparsed('datetime'),
        'missing_datetime': "occurred_at is null",
        'future_timestamp': is_in_future('occurred_at'),
    },
    columns=[
        'email_event_id', 'email_event_type', 'campaign_id', 'occurred_at'
    ],
    personal=[
        'email', 'email_sha256', 'url'
    ],
    identifiers=['email'],
    repeats='ignored',
    hashes=['email_sha256'],
) }}
