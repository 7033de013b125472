{%- set reads = ['touched_profiles', 'profiles', 'clock'] %}
{{ config(
    materialized='incremental', incremental_strategy='replace', unique_key='profile_id', reads=reads, tags=['hot']
) }} {{- per_profile(reads + ['profile_identifiers']) }}
{#- Put something in a cart or went to the checkout in the last 7 days, and bought nothing since. -#}
{%- set a_week_ago = dbt.dateadd('day', -7, dbt.date_trunc('day', cdp_now())) %}

with

{% if is_incremental() %}
{{ touched_carts(a_week_ago) }},
{{ touched_identifiers() }},

{% endif %}
-- found by number: events of a week are many, and ids of profiles long
events as (

    select * from {{ ref('profile_events') }}
    where {{ '_node_id in ' ~ among('members', 'node_id') if is_incremental() else 'profile_id is not null' }}
        and occurred_at >= {{ a_week_ago }}
        and occurred_at <= {{ cdp_now() }}

),

-- the shop's event often arrives before the order, and a purchase in a store ends a cart too
purchases as (

    select profile_id, ordered_at as bought_at
    from {{ ref('channel_orders') }}
    where not is_cancelled and profile_id is not null
        {{- only_touched(word='and') }}

    union all

    select profile_id, occurred_at
    from events
    where event_name = 'Order Completed'

),

bought as (

    select profile_id, max(bought_at) as bought_at
    from purchases
    group by profile_id

),

open_carts as (

    select
        events.*,
        row_number() over (
            partition by events.profile_id, events.event_name = 'Checkout Started', events.product_id
            order by events.occurred_at desc, {{ cdp_bytewise('events.event_id') }}
        ) as recency
    from events
    left join bought
        on events.profile_id = bought.profile_id
    where events.event_name in ('Product Added', 'Product Removed', 'Checkout Started')
        and (bought.bought_at is null or events.occurred_at > bought.bought_at)

),

-- of each product the last word counts: what was taken out again is not abandoned
carts as (

    select
        profile_id,
        max(occurred_at) as abandoned_at,
        min(occurred_at) as oldest_event_at,
        count(distinct case when event_name = 'Product Added' then product_id end) as product_count,
        coalesce(
            sum(case when event_name = 'Product Added' then amount end),
            sum(case when event_name = 'Checkout Started' then amount end)
        ) as cart_amount
    from open_carts
    where recency = 1
        and event_name in ('Product Added', 'Checkout Started')
    group by profile_id

)

select
    profiles.profile_id,
    profiles.email,
    profiles.phone,
    profiles.first_name,
    profiles.last_name,
    profiles.country_code,
    cast(carts.product_count as integer) as product_count,
    cast(coalesce(carts.cart_amount, 0) as {{ cdp_type_money() }}) as cart_amount,
    carts.abandoned_at,
    carts.oldest_event_at as _oldest_event_at,
    1 = 0 as _is_gone
from {{ touched_rows('profiles') }} as profiles
inner join carts
    on profiles.profile_id = carts.profile_id
where profiles.email is not null or profiles.phone is not null
{{- gone_rows(9) }}
