{#- Looked at a product, or put it in the cart, within 30 days before its price fell by a twentieth or more. -#}

with

versions as (

    select
        product_id,
        title,
        price_amount,
        updated_at,
        lag(price_amount) over (partition by product_id order by updated_at, price_amount) as former_price_amount,
        row_number() over (partition by product_id order by updated_at desc, price_amount desc) as recency
    from {{ ref('judged_products__products') }}
    where _outcome = 'published'
        and price_amount is not null
        and updated_at <= {{ cdp_now() }}

),

drops as (

    select * from versions
    where recency = 1
        and price_amount * 20 <= former_price_amount * 19
        and updated_at >= {{ dbt.dateadd('day', -7, dbt.date_trunc('day', cdp_now())) }}

),

looks as (

    select
        events.profile_id,
        drops.product_id,
        drops.title,
        drops.price_amount,
        drops.former_price_amount,
        drops.updated_at,
        max(events.occurred_at) as looked_at
    from drops
    inner join {{ ref('profile_events') }} as events
        on drops.product_id = events.product_id
    where events.event_name in ('Product Viewed', 'Product Added')
        and events.profile_id is not null
        and events.occurred_at <= drops.updated_at
        and events.occurred_at >= {{ dbt.dateadd('day', -30, 'drops.updated_at') }}
    group by
        events.profile_id, drops.product_id, drops.title, drops.price_amount, drops.former_price_amount,
        drops.updated_at

),

bought as (

    select profile_id, product_id, max(bought_at) as bought_at
    from {{ ref('bought_products') }}
    group by profile_id, product_id

)

select
    looks.profile_id,
    looks.product_id,
    looks.title as product_title,
    looks.price_amount,
    cast(looks.former_price_amount as {{ cdp_type_money() }}) as former_price_amount,
    looks.looked_at,
    looks.updated_at as dropped_at
from looks
left join bought
    on looks.profile_id = bought.profile_id
    and looks.product_id = bought.product_id
where bought.bought_at is null
    or bought.bought_at < looks.looked_at
