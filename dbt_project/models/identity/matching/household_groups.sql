{{ config(materialized='components') }}

-- the only use of the components of the graph for anything but people; a household has no limits
select
    left_node_id,
    right_node_id,
    1 as tier,
    cast(null as integer) as left_limit,
    cast(null as integer) as right_limit
from {{ ref('household_links') }}
