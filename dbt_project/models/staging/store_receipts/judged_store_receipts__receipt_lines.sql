{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number') }}

with

landed as (

    {{ landed_rows('store_receipts', 'receipt_lines') }}

),

typed as (

    select
        {{ filled('receipt_id') }} || '-' || cast(line_number as {{ dbt.type_string() }}) as receipt_line_id,
        {{ filled('receipt_id') }} as receipt_id,
        {{ filled('product_id') }} as product_id,
        line_number,
        quantity,
        sales_amount as line_amount,
        coalesce(retail_discount_amount, 0) + coalesce(coupon_discount_amount, 0) as discount_amount,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['receipt_line_id'],
    rules={
        'missing_receipt_id': "receipt_id is null",
        'missing_line_number': "line_number is null",
        'missing_product_id': "product_id is null",
        'unparsed_quantity': is_unparsed('quantity'),
        'negative_quantity': "quantity < 0",
        'unparsed_sales_amount': is_unparsed('sales_amount'),
        'negative_amount': "line_amount < 0",
    },
    columns=[
        'receipt_line_id', 'receipt_id', 'product_id', 'line_number', 'quantity', 'line_amount',
        'discount_amount'
    ],
    repeats='contradictions',
) }}
