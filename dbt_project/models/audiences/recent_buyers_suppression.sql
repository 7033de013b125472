{#- Bought in the last 14 days: not to be shown acquisition advertising now. -#}

with

buyers as (

    select * from {{ ref('traits') }}
    where last_order_at >= {{ dbt.dateadd('day', -14, dbt.date_trunc('day', cdp_now())) }}

)

select
    profiles.profile_id,
    profiles.email,
    profiles.phone,
    profiles.first_name,
    profiles.last_name,
    profiles.country_code,
    buyers.last_order_at,
    {{ dbt.dateadd('day', 14, 'buyers.last_order_at') }} as suppressed_until_at
from buyers
inner join {{ ref('profiles') }} as profiles
    on buyers.profile_id = profiles.profile_id
where profiles.email is not null
    or profiles.phone is not null
