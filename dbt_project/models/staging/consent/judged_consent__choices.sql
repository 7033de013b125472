{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number', tags=['hot']) }}

with

landed as (

    {{ landed_rows('consent', 'choices') }}

),

typed as (

    select
        {{ filled('id') }} as consent_event_id,
        {{ normalise_email('email') }} as email,
        phone_e164 as phone,
        {{ filled('user_id') }} as user_id,
        {{ filled('anonymous_id') }} as anonymous_id,
        {{ filled('loyalty_number') }} as loyalty_number,
        lower({{ filled('purpose') }}) as purpose,
        coalesce(lower({{ filled('channel') }}), 'any') as channel,
        lower({{ filled('status') }}) as status,
        lower({{ filled('landed.method') }}) as method,
        {{ filled('notice_version') }} as notice_version,
        upper({{ filled('jurisdiction') }}) as jurisdiction,
        {{ filled('source') }} as source,
        collected_at,
        coalesce(received_at, _landed_at) as received_at,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['consent_event_id'],
    rules={
        'missing_consent_event_id': "consent_event_id is null",
        'unknown_purpose':
            "coalesce(purpose, '') not in ('marketing', 'advertising', 'personalization', 'analytics')",
        'unknown_channel': "channel not in ('email', 'sms', 'push', 'ads', 'onsite', 'post', 'any')",
        'unknown_status': "status is null or status not in ('granted', 'denied', 'withdrawn')",
        'missing_identifier': "coalesce(email, phone, user_id, anonymous_id, loyalty_number) is null",
        'unparsed_collected_at': is_unparsed('collected_at'),
        'missing_collected_at': "collected_at is null",
        'future_timestamp': is_in_future('collected_at'),
    },
    columns=[
        'consent_event_id', 'purpose', 'channel', 'status', 'method', 'notice_version',
        'jurisdiction', 'source', 'collected_at', 'received_at'
    ],
    personal=[
        'email', 'phone', 'user_id', 'anonymous_id', 'loyalty_number'
    ],
    identifiers=['email', 'phone', 'user_id', 'loyalty_number'],
    repeats='contradictions',
) }}
