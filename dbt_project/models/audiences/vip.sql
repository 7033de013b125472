{#- The tenth of the last 12 months' buyers who spent most, if they came at least 3 times. -#}

with

ranked as (

    select
        traits.*,
        ntile(10) over (order by year_order_amount desc, profile_id asc) as decile
    from {{ ref('traits') }} as traits
    where year_order_count > 0

)

select
    profiles.profile_id,
    profiles.email,
    profiles.phone,
    profiles.first_name,
    profiles.last_name,
    profiles.country_code,
    ranked.favourite_category,
    ranked.preferred_channel,
    cast(ranked.year_order_count as integer) as year_order_count,
    ranked.year_order_amount,
    ranked.first_order_at,
    ranked.last_order_at
from ranked
inner join {{ ref('profiles') }} as profiles
    on ranked.profile_id = profiles.profile_id
where ranked.decile = 1
    and ranked.year_order_count >= 3
    and (profiles.email is not null or profiles.phone is not null)
