{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_subject', tags=['hot']) }}

with

observed as (

    {{ observe('web_orders', ref('judged_web_orders__orders'), 'order_id', 'ordered_at', [
        ('order_id', 'order_id'), ('user_id', 'customer_id'), ('email', 'email'), ('phone', 'phone'),
    ]) }}

    union all

    {{ observe('web_events', ref('judged_web_events__events'), 'event_id', 'occurred_at', [
        ('anonymous_id', 'anonymous_id'), ('user_id', 'user_id'), ('email', 'email'),
        ('email_sha256', 'email_sha256'), ('phone', 'phone'), ('loyalty_number', 'loyalty_number'),
        ('device_id', 'device_id'), ('order_id', 'order_id'),
    ], only='not coalesce(records.is_bot, false)') }}

    union all

    {{ observe('store_receipts', ref('judged_store_receipts__receipts'), 'receipt_id', 'sold_at', [
        ('loyalty_number', 'loyalty_number'), ('email', 'email'),
    ]) }}

    union all

    {{ observe('loyalty_members', ref('judged_store_receipts__loyalty_members'), 'loyalty_number', 'updated_at', [
        ('loyalty_number', 'loyalty_number'), ('email', 'email'), ('phone', 'phone'),
    ]) }}

    union all

    {{ observe('crm', ref('judged_crm__contacts'), 'contact_id', 'updated_at', [
        ('crm_contact_id', 'contact_id'), ('email', 'email'), ('email', 'second_email'),
        ('phone', 'phone'), ('phone', 'mobile_phone'), ('loyalty_number', 'loyalty_number'),
    ]) }}

    union all

    {{ observe('support', ref('judged_support__users'), 'support_user_id', 'updated_at', [
        ('support_user_id', 'support_user_id'), ('user_id', 'customer_id'), ('email', 'email'), ('phone', 'phone'),
    ]) }}

    union all

    {{ observe('email_engagement', ref('judged_email_engagement__events'), 'email_event_id', 'occurred_at', [
        ('email', 'email'), ('email_sha256', 'email_sha256'),
    ]) }}

    union all

    {{ observe('consent', ref('judged_consent__choices'), 'consent_event_id', 'received_at', [
        ('email', 'email'), ('phone', 'phone'), ('user_id', 'user_id'),
        ('anonymous_id', 'anonymous_id'), ('loyalty_number', 'loyalty_number'),
    ]) }}

    union all

    {{ observe('payments', ref('judged_finance__payments'), 'payment_id', 'paid_at', [
        ('order_id', 'order_id'), ('user_id', 'customer_id'), ('email', 'email'),
        ('card_fingerprint', 'card_fingerprint'),
    ]) }}

),

-- an address and its SHA-256 are one thing, known by either
told as (

    select
        source,
        record_id,
        identifier_type,
        identifier_value,
        observed_at,
        _subject,
        _row_id,
        _landed_at,
        _load_id,
        cast(_judged_batch as bigint) as _judged_batch,
        _is_repeated,
        case identifier_type
            when 'email' then {{ cdp_sha256('identifier_value') }}
            when 'email_sha256' then identifier_value
        end as email_sha256
    from observed
    where is_told
        and identifier_value is not null

),

{{ withdraw('told', 'observed') }}
