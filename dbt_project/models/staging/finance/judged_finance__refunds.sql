{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number') }}

with

landed as (

    {{ landed_rows('finance', 'refunds') }}

),

typed as (

    select
        {{ filled('id') }} as refund_id,
        {{ filled('charge_id') }} as payment_id,
        {{ filled('order_id') }} as order_id,
        {{ cents_to_amount('landed.amount') }} as amount,
        upper({{ filled('currency') }}) as currency,
        lower({{ filled('reason') }}) as reason,
        lower({{ filled('status') }}) as status,
        created as refunded_at,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['refund_id'],
    rules={
        'missing_refund_id': "refund_id is null",
        'missing_charge_id': "payment_id is null",
        'unparsed_amount': is_unparsed('amount'),
        'missing_amount': "amount is null",
        'negative_amount': "amount < 0",
        'unparsed_created': is_unparsed('created'),
        'missing_created': "refunded_at is null",
        'future_timestamp': is_in_future('refunded_at'),
    },
    columns=[
        'refund_id', 'payment_id', 'order_id', 'amount', 'currency', 'reason', 'status',
        'refunded_at'
    ],
) }}
