{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_entity_number', tags=['hot']) }}

with

landed as (

    {{ landed_rows('web_orders', 'order_lines') }}

),

typed as (

    select
        {{ filled('id') }} as order_line_id,
        {{ filled('order_id') }} as order_id,
        {{ filled('product_id') }} as product_id,
        landed.index as line_number,
        quantity,
        price as line_amount,
        coalesce(total_discount, 0) as discount_amount,
        {{ plumbing() }}
    from landed

),

{{ judge(
    'typed',
    key=['order_line_id'],
    rules={
        'missing_order_line_id': "order_line_id is null",
        'missing_order_id': "order_id is null",
        'unparsed_quantity': is_unparsed('quantity'),
        'negative_quantity': "quantity < 0",
        'unparsed_price': is_unparsed('price'),
        'negative_amount': "line_amount < 0",
    },
    columns=[
        'order_line_id', 'order_id', 'product_id', 'line_number', 'quantity', 'line_amount',
        'discount_amount'
    ],
    repeats='contradictions',
) }}
