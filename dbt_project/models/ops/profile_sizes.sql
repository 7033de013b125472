with

sized as (

    {{ sized_profiles() }}

),

sizes as (

    select identifier_count, count(*) as profile_count
    from sized
    group by identifier_count

),

accumulated as (

    select
        sizes.*,
        sum(profile_count) over (order by identifier_count) as cumulative_count,
        sum(profile_count) over () as total_count
    from sizes

)

select
    identifier_count,
    cast(profile_count as {{ dbt.type_bigint() }}) as profile_count,
    cast(cumulative_count as {{ dbt.type_bigint() }}) as cumulative_count,
    cast(floor(cumulative_count * 1000000 / total_count) as {{ dbt.type_bigint() }}) as cumulative_ppm
from accumulated
