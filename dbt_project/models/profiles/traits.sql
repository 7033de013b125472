{{ config(materialized='table') }}

{%- set a_year_ago = dbt.dateadd('month', -12, dbt.date_trunc('day', cdp_now())) %}

with

bought as (

    select
        profile_id,
        count(*) as order_count,
        sum(case when channel = 'web' then 1 else 0 end) as web_order_count,
        sum(case when channel = 'store' then 1 else 0 end) as store_order_count,
        sum(case when ordered_at >= {{ a_year_ago }} then 1 else 0 end) as year_order_count,
        sum(net_amount) as order_amount,
        sum(case when ordered_at >= {{ a_year_ago }} then net_amount else 0 end)
            as year_order_amount,
        min(ordered_at) as first_order_at,
        max(ordered_at) as last_order_at
    from {{ ref('orders') }}
    where profile_id is not null
        and not is_cancelled
        and ordered_at <= {{ cdp_now() }}
    group by profile_id

),

-- ties are broken by the id, so that a score never depends on the order in which rows are read
scored as (

    select
        profile_id,
        ntile(5) over (order by last_order_at, profile_id) as recency_score,
        ntile(5) over (order by order_count, profile_id) as frequency_score,
        ntile(5) over (order by order_amount, profile_id) as monetary_score
    from bought

),

seen as (

    select
        profile_id,
    {% for channel in ['web', 'store', 'email', 'support'] %}
        max(case when channel = '{{ channel }}' then last_seen_at end) as {{ channel }}_last_seen_at,
    {% endfor %}
        max(last_seen_at) as last_seen_at
    from {{ ref('last_seen') }}
    group by profile_id

)

-- the average is halved up in whole cents, as engines round fractions differently
select
    profiles.profile_id,
    favourites.preferred_channel,
    favourites.favourite_category,
    {{ cdp_days_between('bought.last_order_at', cdp_now()) }} as recency_days,
    coalesce(bought.order_count, 0) as order_count,
    coalesce(bought.web_order_count, 0) as web_order_count,
    coalesce(bought.store_order_count, 0) as store_order_count,
    coalesce(bought.year_order_count, 0) as year_order_count,
    cast(coalesce(bought.order_amount, 0) as {{ cdp_type_money() }}) as order_amount,
    cast(coalesce(bought.year_order_amount, 0) as {{ cdp_type_money() }}) as year_order_amount,
    cast(
        floor((bought.order_amount * 200 + bought.order_count) / (bought.order_count * 2)) / 100
        as {{ cdp_type_money() }}
    )
        as average_order_amount,
    scored.recency_score,
    scored.frequency_score,
    scored.monetary_score,
    bought.first_order_at,
    bought.last_order_at,
    seen.web_last_seen_at,
    seen.store_last_seen_at,
    seen.email_last_seen_at,
    seen.support_last_seen_at,
    seen.last_seen_at
from {{ ref('profiles') }} as profiles
left join bought
    on profiles.profile_id = bought.profile_id
left join scored
    on profiles.profile_id = scored.profile_id
left join {{ ref('favourites') }} as favourites
    on profiles.profile_id = favourites.profile_id
left join seen
    on profiles.profile_id = seen.profile_id
