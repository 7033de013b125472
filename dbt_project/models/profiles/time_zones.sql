{{ config(materialized='table') }}

with

places as (

    select profile_id, country_code, postal_code
    from {{ ref('profiles') }}
    where country_code is not null

),

zones as (

    select * from {{ ref('postal_time_zones') }}

),

-- the longest beginning that fits
found as (

    select
        places.profile_id,
        zones.time_zone,
        row_number() over (partition by places.profile_id order by length(zones.postal_prefix) desc) as choice
    from places
    inner join zones
        on places.country_code = zones.country_code
        and (
            zones.postal_prefix = '*'
            or zones.postal_prefix = substr(places.postal_code, 1, length(zones.postal_prefix))
        )

)

select profile_id, time_zone
from found
where choice = 1
