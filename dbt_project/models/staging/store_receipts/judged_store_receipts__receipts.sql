{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number') }}

with

landed as (

    {{ landed_rows('store_receipts', 'receipts') }}

),

typed as (

    select
        {{ filled('receipt_id') }} as receipt_id,
        {{ filled('store_id') }} as store_id,
        {{ filled('register_id') }} as register_id,
        {{ filled('loyalty_number') }} as loyalty_number,
        {{ normalise_email('receipt_email') }} as email,
        total_amount,
        coalesce(discount_amount, 0) as discount_amount,
        upper({{ filled('currency') }}) as currency,
        sold_at,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['receipt_id'],
    rules={
        'missing_receipt_id': "receipt_id is null",
        'unparsed_sold_at': is_unparsed('sold_at'),
        'missing_sold_at': "sold_at is null",
        'future_timestamp': is_in_future('sold_at'),
        'unparsed_total_amount': is_unparsed('total_amount'),
        'negative_amount': "total_amount < 0",
    },
    columns=[
        'receipt_id', 'store_id', 'register_id', 'total_amount', 'discount_amount', 'currency',
        'sold_at'
    ],
    personal=[
        'loyalty_number', 'email'
    ],
    identifiers=['loyalty_number', 'email'],
    repeats='contradictions',
) }}
