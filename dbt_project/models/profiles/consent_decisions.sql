{{ config(materialized='view') }}

{#- Which column of the consent log holds which identifier. -#}
{%- set identifiers = ['user_id', 'loyalty_number', 'email', 'phone', 'anonymous_id'] %}

with

choices as (

    select * from {{ ref('stg_consent__choices') }}

),

reactions as (

    select * from {{ ref('stg_email_engagement__events') }}
    where email_event_type in ('unsubscribed', 'complained')

),

-- an address is known by its hash, so that what was said of either counts for both
told as (
{% for identifier_type in identifiers %}
    select
        consent_event_id as decision_id,
        '{{ 'email_sha256' if identifier_type == 'email' else identifier_type }}' as identifier_type,
        {{ cdp_sha256('email') if identifier_type == 'email' else identifier_type }} as identifier_value,
        purpose,
        channel,
        case when status = 'granted' then 'granted' else 'denied' end as status,
        coalesce(source, 'consent') as source,
        collected_at,
        received_at
    from choices
    where {{ identifier_type }} is not null

    union all
{% endfor %}
    select
        email_event_id,
        'email_sha256',
        coalesce({{ cdp_sha256('email') }}, email_sha256),
        'marketing',
        'email',
        'denied',
        'email_' || email_event_type,
        occurred_at as collected_at,
        occurred_at as received_at
    from reactions
    where coalesce(email, email_sha256) is not null

),

channels as (
{% for channel in ['email', 'sms', 'push', 'ads', 'onsite', 'post'] %}
    select '{{ channel }}' as channel {{ 'union all' if not loop.last }}
{%- endfor %}

)

-- a client's clock may run ahead: nothing is decided after it was received, nor after now
select
    told.decision_id,
    told.identifier_type,
    told.identifier_value,
    told.purpose,
    channels.channel,
    told.status,
    told.source,
    least(
        coalesce(told.collected_at, told.received_at),
        coalesce(told.received_at, told.collected_at),
        {{ cdp_now() }}
    ) as decided_at
from told
inner join channels
    on told.channel in ('any', channels.channel)
