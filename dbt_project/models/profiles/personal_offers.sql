{{ config(materialized='table') }}

-- what moves a person to buy: the first time, again after a long time, or once more

with

buyers as (

    select * from {{ ref('traits') }}

)

select
    profile_id,
    case
        when order_count = 0 then 'Free shipping on your first order'
        when order_count >= 2 and recency_score <= 2 then '15% off, because we missed you'
        when monetary_score = 5 then 'Free express delivery'
        when favourite_category is not null then '10% off everything in ' || lower(favourite_category)
        else '10% off'
    end as headline,
    case
        when order_count = 0 then 'FIRST'
        when order_count >= 2 and recency_score <= 2 then 'MISSEDYOU15'
        when monetary_score = 5 then 'EXPRESS'
        when favourite_category is not null then 'FAVOURITE10'
        else 'THANKS10'
    end as offer_code
from buyers
