{{ config(materialized='incremental', unique_key='shipment_id') }}

with

latest as (

    {{ latest_versions(ref('judged_shipping__shipments'), key='shipment_id', newest_first='updated_at') }}

)

select
    shipment_id,
    order_id,
    status,
    shipment_status,
    carrier,
    recipient_phone,
    created_at,
    updated_at,
    delivered_at,
    _row_id,
    _load_id,
    _landed_at,
    _batch
from latest
