{{ config(materialized='incremental', unique_key='_entity_key') }}

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
        coalesce(
            {{ cdp_json_text('traits', 'email') }},
            {{ cdp_json_text('properties', 'email') }},
            {{ cdp_json_text('context', 'traits.email') }}
        ) as email,
        {{ cdp_json_text('properties', 'email_sha256') }} as email_sha256,
        coalesce(
            {{ cdp_json_text('context', 'page.search') }},
            {{ cdp_json_text('context', 'page.url') }}
        ) as page_query,
        {{ cdp_json_text('traits', 'phone') }} as phone,
        coalesce(
            {{ cdp_json_text('traits', 'loyalty_number') }},
            {{ cdp_json_text('properties', 'loyalty_number') }}
        ) as loyalty_number,
        {{ cdp_json_text('context', 'device.id') }} as device_id,
        {{ cdp_json_text('properties', 'order_id') }} as order_id,
        {{ cdp_json_text('properties', 'product_id') }} as product_id,
        {{ cdp_json_text('properties', 'cart_id') }} as cart_id,
        coalesce(
            {{ cdp_json_text('properties', 'path') }},
            {{ cdp_json_text('context', 'page.path') }}
        ) as page_path,
        {{ cdp_json_text('context', 'page.referrer') }} as referrer,
        {{ cdp_json_text('context', 'campaign.source') }} as campaign_source,
        {{ cdp_json_text('context', 'ip') }} as ip,
        {{ cdp_json_text('context', 'userAgent') }} as user_agent,
        {{ cdp_json_text('context', 'screen.width') }} as screen_width,
        {{ cdp_json_text('context', 'screen.height') }} as screen_height,
        coalesce(
            {{ cdp_json_text('properties', 'total') }},
            {{ cdp_json_text('properties', 'revenue') }},
            {{ cdp_json_text('properties', 'value') }},
            {{ cdp_json_text('properties', 'price') }}
        ) as amount,
        coalesce(
            {{ cdp_json_text('context', 'consent.categoryPreferences.analytics') }} = 'false', 1 = 0
        ) as is_analytics_refused,
        coalesce(landed.timestamp, original_timestamp, received_at) as occurred_at,
        coalesce(received_at, _landed_at) as received_at,
        {{ plumbing() }}
    from landed

),

typed as (

    select
        event_id,
        event_type,
        event_name,
        page_name,
        anonymous_id,
        user_id,
        {{ normalise_email('email') }} as email,
        case
            when {{ cdp_regex_like('email_sha256', '^[0-9a-f]{64}$') }} then email_sha256
            when {{ cdp_regex_like('page_query', '[?&]eh=[0-9a-f]{64}') }}
                then substr({{ cdp_split_part('page_query', 'eh=', 2) }}, 1, 64)
        end as email_sha256,
        {{ normalise_phone('phone') }} as phone,
        loyalty_number,
        device_id,
        order_id,
        product_id,
        cart_id,
        page_path,
        referrer,
        campaign_source,
        {{ truncate_ip('ip') }} as ip_prefix,
        user_agent,
        {{ device_type('user_agent') }} as device_type,
        screen_width || 'x' || screen_height as screen_size,
        {{ cdp_try_decimal('amount') }} as amount,
        {{ is_bot('user_agent') }} as is_bot,
        is_analytics_refused,
        occurred_at,
        received_at,
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
