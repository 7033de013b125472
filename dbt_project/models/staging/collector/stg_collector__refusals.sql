with

refused as (

    select * from {{ ref('judged_collector__refusals') }} where _outcome = 'quarantined'

)

select
    refusal_id,
    received_at,
    source_name,
    stage,
    code,
    plan_version,
    message_id,
    sdk,
    _row_id,
    _load_id,
    _landed_at,
    _batch
from refused
