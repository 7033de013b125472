{{ config(materialized='table') }}

-- placeholder until matching lands
select
    cast(null as {{ dbt.type_string() }}) as link_id,
    cast(null as bigint) as left_node_id,
    cast(null as bigint) as right_node_id,
    cast(null as {{ dbt.type_string() }}) as rule,
    cast(null as decimal(9, 6)) as score,
    1 = 0 as is_withdrawn,
    cast(null as timestamp) as observed_at,
    cast(null as timestamp) as _landed_at,
    cast(null as bigint) as _batch
where 1 = 0
