{{ config(materialized='incremental', unique_key='ticket_id') }}

with

latest as (

    {{ latest_versions(ref('judged_support__tickets'), key='ticket_id', newest_first='updated_at') }}

)

select
    ticket_id,
    support_user_id,
    subject,
    status,
    priority,
    channel,
    created_at,
    updated_at,
    _row_id,
    _load_id,
    _landed_at,
    _batch
from latest
