{{ config(materialized='components') }}

select
    left_node_id,
    right_node_id
from {{ ref('household_links') }}
