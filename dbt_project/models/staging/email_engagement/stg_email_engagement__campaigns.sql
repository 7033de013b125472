{{ config(materialized='incremental', unique_key='campaign_id') }}

with

latest as (

    {{ latest_versions(ref('judged_email_engagement__campaigns'), key='campaign_id') }}

)

select
    campaign_id,
    campaign_name,
    campaign_type,
    subject,
    starts_on,
    ends_on,
    sent_at,
    _row_id,
    _load_id,
    _landed_at,
    _batch
from latest
