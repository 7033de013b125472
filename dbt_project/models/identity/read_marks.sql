{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

-- up to which build a model has read another, also when nothing came of it; the strategy `replace` writes the rows
select
    cast(null as {{ dbt.type_string() }}) as reader,
    cast(null as {{ dbt.type_string() }}) as model,
    cast(null as {{ dbt.type_bigint() }}) as batch
where 1 = 0
