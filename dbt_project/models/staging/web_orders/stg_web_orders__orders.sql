{{ config(materialized='incremental', unique_key='order_id', tags=['hot']) }}

with

latest as (

    {{ latest_versions(ref('judged_web_orders__orders'), key='order_id', newest_first='updated_at') }}

)

select
    order_id,
    order_number,
    customer_id,
    email,
    phone,
    first_name,
    last_name,
    address_line,
    city,
    postal_code,
    country_code,
    cancel_reason,
    financial_status,
    fulfillment_status,
    subtotal_amount,
    discount_amount,
    total_amount,
    currency,
    is_guest,
    is_cancelled,
    ordered_at,
    updated_at,
    cancelled_at,
    {{ is_disposable_email('email') }} as is_disposable_email,
    {{ is_role_email('email') }} as is_role_email,
    _row_id,
    _load_id,
    _landed_at,
    _batch
from latest
