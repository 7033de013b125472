{{ config(materialized='incremental', unique_key=['left_record_key', 'right_record_key'], on_schema_change='fail') }}

with

records as (

    select
        *,
        {{ is_new_batch('_batch', ref('person_records')) }} as is_new
    from {{ ref('person_records') }}
    where not is_withdrawn

),

pairs as (

    {{ match_pairs('records', person_blocks()) }}

)

select
    left_record_key,
    right_record_key,
    left_node_id,
    right_node_id,
    block,
    _batch
from pairs
