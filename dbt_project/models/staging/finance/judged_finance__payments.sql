{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number') }}

with

landed as (

    {{ landed_rows('finance', 'payments') }}

),

typed as (

    select
        {{ filled('id') }} as payment_id,
        {{ filled('order_id') }} as order_id,
        {{ filled('customer_id') }} as customer_id,
        {{ normalise_email('receipt_email') }} as email,
        lower({{ filled('status') }}) as status,
        {{ filled('failure_code') }} as failure_code,
        {{ filled('card_fingerprint') }} as card_fingerprint,
        {{ cents_to_amount('landed.amount') }} as amount,
        {{ cents_to_amount('coalesce(amount_refunded, 0)') }} as refunded_amount,
        upper({{ filled('currency') }}) as currency,
        coalesce(paid, 1 = 0) as is_paid,
        created as paid_at,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['payment_id'],
    rules={
        'missing_payment_id': "payment_id is null",
        'unparsed_amount': is_unparsed('amount'),
        'missing_amount': "amount is null",
        'negative_amount': "amount < 0",
        'refunded_more_than_paid': "refunded_amount > amount",
        'unparsed_created': is_unparsed('created'),
        'missing_created': "paid_at is null",
        'future_timestamp': is_in_future('paid_at'),
    },
    columns=[
        'payment_id', 'order_id', 'status', 'failure_code', 'amount', 'refunded_amount',
        'currency', 'is_paid', 'paid_at'
    ],
    personal=[
        'customer_id', 'email', 'card_fingerprint'
    ],
    identifiers=['customer_id', 'email'],
) }}
