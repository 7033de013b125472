{{ config(materialized='table') }}

with

sighted as (

    select * from {{ ref('sighted_identifiers') }}

),

shared as (

    select * from {{ ref('shared_identifiers') }}

)

select
    sighted.node_id,
    sighted.identifier_type,
    sighted.identifier_value,
    sighted.observation_count,
    sighted.is_blocked,
    shared.node_id is not null as is_shared,
    sighted.first_seen_at,
    sighted.last_seen_at,
    sighted.first_landed_at
from sighted
left join shared
    on sighted.node_id = shared.node_id
