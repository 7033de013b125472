with

published as (

    select * from {{ ref('judged_store_receipts__receipts') }} where _outcome = 'published'

)

select
    receipt_id,
    store_id,
    register_id,
    loyalty_number,
    email,
    total_amount,
    discount_amount,
    currency,
    sold_at,
    _row_id,
    _load_id,
    _landed_at,
    _batch
from published
