with

published as (

    select * from {{ ref('judged_web_orders__order_lines') }} where _outcome = 'published'

)

select
    order_line_id,
    order_id,
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
