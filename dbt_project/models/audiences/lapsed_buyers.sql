{#- Came back at least once, so a habit was forming, and has bought nothing for 60 days. -#}

with

buyers as (

    select * from {{ ref('traits') }}
    where order_count >= 2
        and last_order_at < {{ dbt.dateadd('day', -60, dbt.date_trunc('day', cdp_now())) }}

)

select
    profiles.profile_id,
    profiles.email,
    profiles.phone,
    profiles.first_name,
    profiles.last_name,
    profiles.country_code,
    buyers.favourite_category,
    buyers.preferred_channel,
    cast(buyers.order_count as integer) as order_count,
    buyers.order_amount,
    buyers.last_order_at,
    {{ dbt.dateadd('day', 60, 'buyers.last_order_at') }} as lapsed_at
from buyers
inner join {{ ref('profiles') }} as profiles
    on buyers.profile_id = profiles.profile_id
where profiles.email is not null
    or profiles.phone is not null
