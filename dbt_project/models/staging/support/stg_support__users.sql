{{ config(materialized='incremental', unique_key='support_user_id') }}

with

latest as (

    {{ latest_versions(ref('judged_support__users'), key='support_user_id', newest_first='updated_at') }}

)

select
    support_user_id,
    full_name,
    first_name,
    last_name,
    email,
    phone,
    customer_id,
    created_at,
    updated_at,
    {{ is_disposable_email('email') }} as is_disposable_email,
    {{ is_role_email('email') }} as is_role_email,
    _row_id,
    _load_id,
    _landed_at,
    _batch
from latest
