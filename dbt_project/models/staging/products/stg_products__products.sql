{{ config(materialized='incremental', unique_key='product_id') }}

with

latest as (

    {{ latest_versions(ref('judged_products__products'), key='product_id', newest_first='updated_at') }}

)

select
    product_id,
    title,
    brand,
    department,
    category,
    product_type,
    package_size,
    price_amount,
    updated_at,
    _row_id,
    _load_id,
    _landed_at,
    _batch
from latest
