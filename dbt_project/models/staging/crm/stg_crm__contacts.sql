{{ config(materialized='incremental', unique_key='contact_id') }}

with

latest as (

    {{ latest_versions(ref('judged_crm__contacts'), key='contact_id', newest_first='updated_at') }}

)

select
    contact_id,
    email,
    second_email,
    first_name,
    last_name,
    phone,
    mobile_phone,
    address_line,
    city,
    postal_code,
    country_code,
    lifecycle_stage,
    loyalty_number,
    birth_on,
    created_at,
    updated_at,
    {{ is_disposable_email('email') }} as is_disposable_email,
    {{ is_role_email('email') }} as is_role_email,
    _row_id,
    _load_id,
    _landed_at,
    _batch
from latest
