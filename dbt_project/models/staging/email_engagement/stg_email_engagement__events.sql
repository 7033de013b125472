with

published as (

    select * from {{ ref('judged_email_engagement__events') }} where _outcome = 'published'

)

select
    email_event_id,
    email,
    email_sha256,
    email_event_type,
    campaign_id,
    url,
    occurred_at,
    _row_id,
    _load_id,
    _landed_at,
    _batch
from published
