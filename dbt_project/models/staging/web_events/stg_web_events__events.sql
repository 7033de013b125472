with

published as (

    select * from {{ ref('judged_web_events__events') }} where _outcome = 'published'

)

select
    event_id,
    event_type,
    event_name,
    page_name,
    anonymous_id,
    user_id,
    email,
    email_sha256,
    phone,
    loyalty_number,
    device_id,
    order_id,
    product_id,
    cart_id,
    page_path,
    referrer,
    campaign_source,
    ip_prefix,
    user_agent,
    device_type,
    screen_size,
    amount,
    is_bot,
    occurred_at,
    received_at,
    _row_id,
    _load_id,
    _landed_at,
    _batch,
    _is_repeated
from published
