{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number', tags=['hot']) }}

with

landed as (

    {{ landed_rows('web_orders', 'orders') }}

),

typed as (

    select
        {{ filled('id') }} as order_id,
        {{ filled('name') }} as order_number,
        {{ filled('customer_id') }} as customer_id,
        {{ normalise_email('email') }} as email,
        phone_e164 as phone,
        {{ normalise_name('shipping_address_first_name') }} as first_name,
        {{ normalise_name('shipping_address_last_name') }} as last_name,
        {{ filled('shipping_address_address_1') }} as address_line,
        {{ filled('shipping_address_city') }} as city,
        {{ filled('shipping_address_zip') }} as postal_code,
        {{ normalise_country('shipping_address_country_code') }} as country_code,
        {{ filled('cancel_reason') }} as cancel_reason,
        lower({{ filled('financial_status') }}) as financial_status,
        lower({{ filled('fulfillment_status') }}) as fulfillment_status,
        subtotal_price as subtotal_amount,
        total_discounts as discount_amount,
        total_price as total_amount,
        upper({{ filled('currency') }}) as currency,
        {{ filled('customer_id') }} is null as is_guest,
        cancelled_at is not null as is_cancelled,
        created_at as ordered_at,
        updated_at,
        cancelled_at,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['order_id'],
    rules={
        'missing_order_id': "order_id is null",
        'unparsed_created_at': is_unparsed('created_at'),
        'missing_created_at': "ordered_at is null",
        'future_timestamp': is_in_future('ordered_at'),
        'unparsed_total_price': is_unparsed('total_price'),
        'missing_total_price': "total_amount is null",
        'negative_amount': "total_amount < 0",
        'malformed_currency': "not " ~ cdp_regex_like('currency', '^[A-Z]{3}$'),
    },
    columns=[
        'order_id', 'order_number', 'cancel_reason', 'financial_status', 'fulfillment_status',
        'subtotal_amount', 'discount_amount', 'total_amount', 'currency', 'is_guest',
        'is_cancelled', 'ordered_at', 'updated_at', 'cancelled_at'
    ],
    personal=[
        'customer_id', 'email', 'phone', 'first_name', 'last_name', 'address_line', 'city',
        'postal_code', 'country_code'
    ],
    identifiers=['customer_id', 'email', 'phone'],
) }}
