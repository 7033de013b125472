{{ config(materialized='incremental', unique_key='loyalty_number') }}

with

latest as (

    {{ latest_versions(
        ref('judged_store_receipts__loyalty_members'), key='loyalty_number', newest_first='updated_at'
    ) }}

)

select
    loyalty_number,
    household_id,
    first_name,
    last_name,
    email,
    phone,
    address_line,
    city,
    postal_code,
    country_code,
    age_band,
    income_band,
    household_size,
    birth_on,
    joined_at,
    updated_at,
    {{ is_disposable_email('email') }} as is_disposable_email,
    {{ is_role_email('email') }} as is_role_email,
    _row_id,
    _load_id,
    _landed_at,
    _batch
from latest
