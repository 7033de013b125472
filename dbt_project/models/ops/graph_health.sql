with

sizes as (

    select profile_sizes.*, max(cumulative_count) over () as total_count
    from {{ ref('profile_sizes') }} as profile_sizes

),

-- a percentile is the smallest size that so many of a hundred profiles don't exceed
sized as (

    select
        coalesce(sum(profile_count), 0) as profile_count,
        coalesce(sum(case when identifier_count <= 1 then profile_count end), 0) as singleton_count,
        {% for percent in [50, 90, 99] %}
        min(case when cumulative_count * 100 >= total_count * {{ percent }} then identifier_count end)
            as p{{ percent }}_identifier_count,
        {% endfor %}
        coalesce(max(identifier_count), 0) as max_identifier_count
    from sizes

),

members as (

    select
        count(distinct node_id) as identifier_count,
        count(distinct case when is_shared then node_id end) as shared_identifier_count
    from {{ ref('profile_identifiers') }}

),

pairs as (

    select count(*) as pair_count from {{ ref('identifier_pairs') }} where is_live

),

refused as (

    select count(*) as refused_pair_count from {{ ref('blocked_links') }}

)

select
    cast(sized.profile_count as {{ dbt.type_bigint() }}) as profile_count,
    members.identifier_count,
    cast(sized.singleton_count as {{ dbt.type_bigint() }}) as singleton_count,
    coalesce(sized.p50_identifier_count, 0) as p50_identifier_count,
    coalesce(sized.p90_identifier_count, 0) as p90_identifier_count,
    coalesce(sized.p99_identifier_count, 0) as p99_identifier_count,
    sized.max_identifier_count,
    members.shared_identifier_count,
    pairs.pair_count,
    refused.refused_pair_count
from sized
cross join members
cross join pairs
cross join refused
