{{ config(materialized='table') }}

with

-- who was at which home in which window
visits as (

    select distinct devices.node_id, devices.ip_prefix, devices.window_number
    from {{ ref('anonymous_devices') }} as devices
    inner join {{ ref('home_networks') }} as networks
        on devices.ip_prefix = networks.ip_prefix
        and devices.window_number = networks.window_number
    where networks.most_cookies <= {{ most_cookies_of_a_home() }}

),

-- twice, so that a guest is no member
residents as (

    select node_id, ip_prefix, min(window_number) as first_window, count(*) as window_count
    from visits
    group by node_id, ip_prefix
    having count(*) >= 2

)

select
    one.node_id as left_node_id,
    other.node_id as right_node_id,
    min({{ cdp_bytewise('one.ip_prefix') }}) as ip_prefix,
    max(case when one.window_count < other.window_count then one.window_count else other.window_count end)
        as window_count
from residents as one
inner join residents as other
    on one.ip_prefix = other.ip_prefix
    and one.node_id < other.node_id
group by one.node_id, other.node_id
