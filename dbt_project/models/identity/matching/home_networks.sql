{{ config(materialized='table') }}

-- only /48: a truncated IPv4 address stands for 256, which are no home
with

crowds as (

    select
        ip_prefix,
        window_number,
        count(distinct node_id) as cookie_count
    from {{ ref('anonymous_devices') }}
    where ip_prefix like '%/48'
    group by ip_prefix, window_number

)

select
    ip_prefix,
    window_number,
    cookie_count,
    max(cookie_count) over (partition by ip_prefix) as most_cookies
from crowds
