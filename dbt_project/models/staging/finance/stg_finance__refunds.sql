{{ config(materialized='incremental', unique_key='refund_id') }}

with

latest as (

    {{ latest_versions(ref('judged_finance__refunds'), key='refund_id') }}

)

select
    refund_id,
    payment_id,
    order_id,
    amount,
    currency,
    reason,
    status,
    refunded_at,
    _row_id,
    _load_id,
    _landed_at,
    _batch
from latest
