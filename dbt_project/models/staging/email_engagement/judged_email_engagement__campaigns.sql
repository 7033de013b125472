{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number') }}

with

landed as (

    {{ landed_rows('email_engagement', 'campaigns') }}

),

typed as (

    select
        {{ filled('id') }} as campaign_id,
        {{ filled('landed.name') }} as campaign_name,
        {{ filled('campaign_type') }} as campaign_type,
        {{ filled('subject') }} as subject,
        start_on as starts_on,
        end_on as ends_on,
        send_time as sent_at,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['campaign_id'],
    rules={
        'missing_campaign_id': "campaign_id is null",
        'ends_before_start': "ends_on < starts_on",
    },
    columns=[
        'campaign_id', 'campaign_name', 'campaign_type', 'subject', 'starts_on', 'ends_on',
        'sent_at'
    ],
) }}
