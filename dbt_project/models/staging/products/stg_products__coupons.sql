with

published as (

    select * from {{ ref('judged_products__coupons') }} where _outcome = 'published'

)

select
    coupon_id,
    product_id,
    campaign_id,
    _row_id,
    _load_id,
    _landed_at,
    _batch
from published
