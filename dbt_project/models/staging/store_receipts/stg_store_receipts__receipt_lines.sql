with

published as (

    select * from {{ ref('judged_store_receipts__receipt_lines') }} where _outcome = 'published'

)

select
    receipt_line_id,
    receipt_id,
    product_id,
    line_number,
    quantity,
    line_amount,
    discount_amount,
    _row_id,
    _load_id,
    _landed_at,
    _batch
from published
