with

pairs as (

    select * from {{ ref('identifier_pairs') }} where is_live

),

ends as (

    select left_node_id as node_id from pairs
    union all
    select right_node_id from pairs

),

degrees as (

    select node_id, count(*) as pair_count
    from ends
    group by node_id

),

histogram as (

    select
        members.identifier_type,
        coalesce(degrees.pair_count, 0) as pair_count,
        count(*) as identifier_count
    from {{ ref('profile_identifiers') }} as members
    left join degrees
        on members.node_id = degrees.node_id
    group by members.identifier_type, coalesce(degrees.pair_count, 0)

),

accumulated as (

    select
        histogram.*,
        sum(identifier_count) over (partition by identifier_type order by pair_count) as cumulative_count,
        sum(identifier_count) over (partition by identifier_type) as total_count
    from histogram

)

select
    identifier_type,
    cast(sum(identifier_count) as {{ dbt.type_bigint() }}) as identifier_count,
    -- rounded down, so that engines that divide in binary and in decimal agree
    cast(floor(sum(pair_count * identifier_count) * 100 / sum(identifier_count)) / 100 as {{ dbt.type_numeric() }})
        as mean_pair_count,
    min(case when cumulative_count * 100 >= total_count * 99 then pair_count end) as p99_pair_count,
    max(pair_count) as max_pair_count
from accumulated
group by identifier_type
