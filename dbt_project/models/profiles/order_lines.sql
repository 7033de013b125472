{{ config(materialized='view') }}

with

web as (

    select
        order_line_id,
        order_id,
        'web' as channel,
        line_number,
        product_id,
        quantity,
        line_amount,
        discount_amount
    from {{ ref('stg_web_orders__order_lines') }}

),

store as (

    select
        receipt_line_id as order_line_id,
        receipt_id as order_id,
        'store' as channel,
        line_number,
        product_id,
        quantity,
        line_amount,
        discount_amount
    from {{ ref('stg_store_receipts__receipt_lines') }}

),

lines as (

    select * from web
    union all
    select * from store

)

select
    lines.channel || '-' || lines.order_line_id as order_line_id,
    lines.channel || '-' || lines.order_id as order_key,
    lines.order_id,
    lines.channel,
    lines.product_id,
    products.title as product_title,
    products.brand,
    products.department,
    products.category,
    lines.line_number,
    lines.quantity,
    lines.line_amount,
    lines.discount_amount
from lines
left join {{ ref('stg_products__products') }} as products
    on lines.product_id = products.product_id
