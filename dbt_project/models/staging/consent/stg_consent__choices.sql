with

published as (

    select * from {{ ref('judged_consent__choices') }} where _outcome = 'published'

)

select
    consent_event_id,
    email,
    phone,
    user_id,
    anonymous_id,
    loyalty_number,
    purpose,
    channel,
    status,
    method,
    notice_version,
    jurisdiction,
    source,
    collected_at,
    received_at,
    _row_id,
    _load_id,
    _landed_at,
    _batch
from published
