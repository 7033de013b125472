{{ config(materialized='incremental', unique_key='payment_id') }}

with

latest as (

    {{ latest_versions(ref('judged_finance__payments'), key='payment_id') }}

)

select
    payment_id,
    order_id,
    customer_id,
    email,
    status,
    failure_code,
    card_fingerprint,
    amount,
    refunded_amount,
    currency,
    is_paid,
    paid_at,
    _row_id,
    _load_id,
    _landed_at,
    _batch
from latest
