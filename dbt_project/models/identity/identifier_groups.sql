{{ config(materialized='resolution', nodes='identifiers', rules='identifier_rules', tags=['hot']) }}

-- depends_on: {{ ref('identifiers') }}
-- depends_on: {{ ref('identifier_rules') }}
select
    left_node_id,
    right_node_id,
    tier,
    first_landed_at,
    decision,
    is_live,
    _shape_batch as _batch
from {{ ref('identifier_pairs') }}
