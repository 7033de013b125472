{{ config(materialized='table') }}

with

devices as (

    select * from {{ ref('anonymous_devices') }}

),

lifetimes as (

    select
        node_id,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        min(first_landed_at) as first_landed_at,
        min(user_id) as user_id,
        max(user_count) as user_count,
        max(case when is_told_otherwise then 1 else 0 end) as is_told_otherwise,
        count(distinct user_agent) as user_agent_count
    from devices
    group by node_id

),

-- networks where a crowd was seen even once are no home
at_home as (

    select
        devices.node_id,
        devices.ip_prefix,
        devices.user_agent,
        devices.device_type,
        devices.screen_size,
        min(networks.most_cookies) as cookie_count,
        cast(sum(devices.event_count) as {{ dbt.type_bigint() }}) as event_count,
        min(devices.window_number) as first_window,
        max(devices.window_number) as last_window
    from devices
    inner join {{ ref('home_networks') }} as networks
        on devices.ip_prefix = networks.ip_prefix
        and devices.window_number = networks.window_number
    where networks.most_cookies <= {{ most_cookies_of_a_home() }}
        and devices.device_type <> 'bot'
    group by devices.node_id, devices.ip_prefix, devices.user_agent, devices.device_type, devices.screen_size

)

select
    {{ cdp_md5(as_text('at_home.node_id') ~ " || at_home.ip_prefix || at_home.user_agent || at_home.screen_size") }}
        as record_key,
    at_home.*,
    row_number() over (
        partition by at_home.node_id order by at_home.event_count desc, {{ cdp_bytewise('at_home.ip_prefix') }}
    ) = 1 as is_main,
    lifetimes.first_seen_at,
    lifetimes.last_seen_at,
    lifetimes.first_landed_at as _landed_at,
    lifetimes.user_id,
    lifetimes.user_id is not null or lifetimes.is_told_otherwise = 1 as is_known,
    lifetimes.user_id is null and lifetimes.is_told_otherwise = 1 as is_known_otherwise
from at_home
inner join lifetimes
    on at_home.node_id = lifetimes.node_id
where lifetimes.user_count <= 1
    and lifetimes.user_agent_count = 1
