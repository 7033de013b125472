{{ config(materialized='incremental', incremental_strategy='repeated', unique_key='_subject', tags=['hot']) }}

with

-- an address and its hash in one record are one node, told once
observations as (

    select
        node_id,
        _row_id,
        source,
        min(record_id) as record_id,
        min(observed_at) as observed_at,
        min(_subject) as _subject,
        min(_landed_at) as _landed_at,
        min(_load_id) as _load_id,
        max(_batch) as _batch,
        min(case when is_withdrawn then 1 else 0 end) = 1 as is_withdrawn,
        max(case when _is_repeated then 1 else 0 end) = 1 as _is_repeated
    from {{ ref('identifier_observations') }}
    {% if is_incremental() %}
    where {{ is_unread('_batch', '_batch') }}
    {% endif %}
    group by node_id, _row_id, source

),

-- canonical order is the order of node ids, so a pair has one name
pairs as (

    select
        one.node_id as left_node_id,
        other.node_id as right_node_id,
        {{ node_type_code('one.node_id') }} as left_code,
        {{ node_type_code('other.node_id') }} as right_code,
        one.source,
        one.record_id,
        one.observed_at,
        one.is_withdrawn or other.is_withdrawn as is_withdrawn,
        one._subject,
        one._row_id,
        one._landed_at,
        one._load_id,
        one._batch,
        one._is_repeated or other._is_repeated as _is_repeated
    from observations as one
    inner join observations as other
        on one._row_id = other._row_id
        and one.source = other.source
        and one.node_id < other.node_id

)

select
    md5(pairs._row_id || '-' || cast(pairs.left_node_id as {{ dbt.type_string() }})
        || '-' || cast(pairs.right_node_id as {{ dbt.type_string() }})) as link_id,
    pairs.left_node_id,
    pairs.right_node_id,
    left_rules.identifier_type as left_type,
    right_rules.identifier_type as right_type,
    pairs.source,
    'same_record' as rule,
    pairs.record_id,
    pairs.observed_at,
    pairs.is_withdrawn,
    pairs._subject,
    pairs._row_id,
    pairs._landed_at,
    pairs._load_id,
    pairs._batch,
    pairs._is_repeated
from pairs
inner join {{ ref('identifier_rules') }} as left_rules
    on pairs.left_code = left_rules.type_code
inner join {{ ref('identifier_rules') }} as right_rules
    on pairs.right_code = right_rules.type_code
