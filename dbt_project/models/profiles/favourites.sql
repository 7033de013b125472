{{ config(materialized='view') }}

with

orders as (

    select * from {{ ref('orders') }}
    where profile_id is not null and not is_cancelled

),

categories as (

    select
        orders.profile_id,
        lines.category,
        row_number() over (
            partition by orders.profile_id
            order by sum(lines.line_amount) desc, {{ cdp_bytewise('lines.category') }}
        ) as choice
    from orders
    inner join {{ ref('order_lines') }} as lines
        on orders.order_key = lines.order_key
    where lines.category is not null
    group by orders.profile_id, lines.category

),

channels as (

    select
        profile_id,
        channel,
        row_number() over (
            partition by profile_id
            order by count(*) desc, sum(net_amount) desc, {{ cdp_bytewise('channel') }}
        ) as choice
    from orders
    group by profile_id, channel

)

select
    channels.profile_id,
    channels.channel as preferred_channel,
    categories.category as favourite_category
from channels
left join categories
    on channels.profile_id = categories.profile_id
    and categories.choice = 1
where channels.choice = 1
