with

published as (

    select * from {{ ref('judged_store_receipts__coupon_redemptions') }} where _outcome = 'published'

)

select
    loyalty_number,
    coupon_id,
    campaign_id,
    redeemed_on,
    _row_id,
    _load_id,
    _landed_at,
    _batch
from published
