with

published as (

    select * from {{ ref('judged_support__comments') }} where _outcome = 'published'

)

select
    comment_id,
    ticket_id,
    support_user_id,
    body,
    is_public,
    commented_at,
    _row_id,
    _load_id,
    _landed_at,
    _batch
from published
