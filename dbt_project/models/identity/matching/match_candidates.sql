{{ config(materialized='incremental', unique_key=['left_record_key', 'right_record_key'], on_schema_change='fail') }}

with

records as (

    select * from {{ ref('person_records') }} where not is_withdrawn

),

pairs as (

    {{ match_pairs('records', person_blocks(), newest_batch() if is_incremental() else none) }}

)

select
    left_record_key,
    right_record_key,
    left_node_id,
    right_node_id,
    block,
    _batch
from pairs
