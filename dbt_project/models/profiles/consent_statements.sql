{{ config(materialized='incremental', unique_key='decision_id', tags=['hot']) }}

{#- Which column of the consent log holds which identifier. -#}
{%- set identifiers = ['user_id', 'loyalty_number', 'email', 'phone', 'anonymous_id'] %}

with

choices as (

    select * from {{ ref('stg_consent__choices') }}
    {% if is_incremental() %}
    where {{ is_unread('_batch', '_choices_batch') }}
    {% endif %}

),

reactions as (

    select * from {{ ref('stg_email_engagement__events') }}
    where email_event_type in ('unsubscribed', 'complained')
    {% if is_incremental() %}
        and {{ is_unread('_batch', '_reactions_batch') }}
    {% endif %}

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

)

-- a client's clock may run ahead: nothing is decided after it was received
select
    decision_id,
    identifier_type,
    identifier_value,
    purpose,
    channel,
    status,
    source,
    least(coalesce(collected_at, received_at), coalesce(received_at, collected_at)) as said_at,
    {{ newest(ref('stg_consent__choices')) }} as _choices_batch,
    {{ newest(ref('stg_email_engagement__events')) }} as _reactions_batch
from told
