{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number', tags=['hot']) }}

{%- set fields = {
    'email': ['traits.email', 'properties.email', 'context.traits.email'],
    'email_sha256': ['properties.email_sha256'],
    'page_query': ['context.page.search', 'context.page.url'],
    'phone': ['traits.phone'],
    'loyalty_number': ['traits.loyalty_number', 'properties.loyalty_number'],
    'device_id': ['context.device.id'],
    'order_id': ['properties.order_id'],
    'product_id': ['properties.product_id'],
    'cart_id': ['properties.cart_id'],
    'page_path': ['properties.path', 'context.page.path'],
    'referrer': ['context.page.referrer'],
    'campaign_source': ['context.campaign.source'],
    'ip': ['context.ip'],
    'user_agent': ['context.userAgent'],
    'screen_width': ['context.screen.width'],
    'screen_height': ['context.screen.height'],
    'amount': ['properties.total', 'properties.revenue', 'properties.value', 'properties.price'],
    'analytics_consent': ['context.consent.categoryPreferences.analytics'],
} %}

with

landed as (

    {{ landed_rows('web_events', 'events') }}

),

extracted as (

    select
        {{ filled('message_id') }} as event_id,
        lower({{ filled('landed.type') }}) as event_type,
        {{ filled('event') }} as event_name,
        {{ filled('landed.name') }} as page_name,
        {{ filled('anonymous_id') }} as anonymous_id,
        {{ filled('user_id') }} as user_id,
        {{ first_filled(fields) }},
        coalesce(landed.is_bot, 1 = 0) as is_marked_bot,
        coalesce(landed.timestamp, original_timestamp, received_at) as occurred_at,
        coalesce(received_at, _landed_at) as received_at,
        {{ plumbing() }}
    from {{ cdp_parsed('landed', fields) }}

),

typed as (

    select
        event_id, event_type, event_name, page_name, anonymous_id, user_id,
        {{ normalise_email('email') }} as email,
        case
            when {{ cdp_regex_like('email_sha256', '^[0-9a-f]{64}$') }} then email_sha256
            when {{ cdp_regex_like('page_query', '[?&]eh=[0-9a-f]{64}') }}
                then substr({{ cdp_split_part('page_query', 'eh=', 2) }}, 1, 64)
        end as email_sha256,
        {{ normalise_phone('phone') }} as phone,
        loyalty_number, device_id, order_id, product_id, cart_id, page_path, referrer, campaign_source,
        {{ truncate_ip('ip') }} as ip_prefix,
        user_agent,
        {{ device_type('user_agent') }} as device_type,
        screen_width || 'x' || screen_height as screen_size,
        {{ cdp_try_decimal('amount') }} as amount,
        is_marked_bot or {{ is_bot('user_agent') }} as is_bot,
        coalesce(analytics_consent = 'false', 1 = 0) as is_analytics_refused, occurred_at, received_at,
        _row_id, _source_file, _row_number, _landed_at, _variants, _row_hash, _load_id
    from extracted

),

{{ judge(
    'typed',
    key=['event_id'],
    rules={
        'missing_message_id': "event_id is null",
        'unknown_event_type':
            "coalesce(event_type, '') not in ('identify', 'page', 'track', 'screen', 'group', 'alias')",
        'missing_event_name': "event_type = 'track' and event_name is null",
        'missing_identifier': "anonymous_id is null and user_id is null",
        'unparsed_timestamp': is_unparsed('timestamp'),
        'missing_timestamp': "occurred_at is null",
        'future_timestamp': is_in_future('occurred_at'),
    },
    columns=[
        'event_id', 'event_type', 'event_name', 'page_name', 'order_id', 'product_id',
        'cart_id', 'campaign_source', 'device_type', 'screen_size', 'amount', 'is_bot',
        'occurred_at', 'received_at'
    ],
    personal=[
        'anonymous_id', 'user_id', 'email', 'email_sha256', 'phone', 'loyalty_number',
        'device_id', 'page_path', 'referrer', 'ip_prefix', 'user_agent'
    ],
    identifiers=['user_id', 'email', 'phone', 'loyalty_number'],
    hashes=['email_sha256'],
    repeats='ignored',
    suppress_when="is_analytics_refused",
) }}
