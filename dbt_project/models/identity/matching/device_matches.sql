{{ config(materialized='table') }}

{%- set same_device = ['ip_prefix', 'device_type', 'user_agent', 'screen_size'] %}

with

records as (

    select * from {{ ref('device_records') }}

),

-- what could be one device, in time; a cookie that overlaps an earlier one means that there are two alike
sequences as (

    select
        records.*,
        max(last_seen_at) over (
            partition by {{ same_device | join(', ') }} order by first_seen_at, node_id
            rows between unbounded preceding and 1 preceding
        ) as earlier_seen_at
    from records

),

-- at most one person is known on it, so that an anonymous cookie can't tie two
unambiguous as (

    select {{ same_device | join(', ') }}
    from sequences
    group by {{ same_device | join(', ') }}
    having count(*) > 1
        and max(case when earlier_seen_at >= first_seen_at then 1 else 0 end) = 0
        and count(distinct user_id) + sum(case when is_known_otherwise then 1 else 0 end) <= 1

),

candidates as (

    select records.*
    from records
    inner join unambiguous
        on {% for column in same_device -%}
        records.{{ column }} = unambiguous.{{ column }} {{ 'and ' if not loop.last }}
        {%- endfor %}

),

pairs as (

    select
        one.node_id as left_node_id,
        other.node_id as right_node_id,
        {%- for column in same_device + ['cookie_count', 'first_seen_at', 'last_seen_at'] %}
        one.{{ column }} as {{ column }}_l,
        other.{{ column }} as {{ column }}_r,
        {%- endfor %}
        case when one.first_seen_at > other.first_seen_at then one.first_seen_at else other.first_seen_at end
            as observed_at,
        case when one._landed_at > other._landed_at then one._landed_at else other._landed_at end
            as _landed_at
    from candidates as one
    inner join candidates as other
        on one.ip_prefix = other.ip_prefix
        and one.device_type = other.device_type
        and one.user_agent = other.user_agent
        and one.screen_size = other.screen_size
        and one.node_id < other.node_id
    where not (one.is_known and other.is_known)
        and one.first_window <= other.last_window + {{ most_windows_apart() }}
        and other.first_window <= one.last_window + {{ most_windows_apart() }}

),

weighed as (

    {{ match_weights('pairs', device_comparisons(), ref('match_parameters'), 'device') }}

)

select
    weighed.left_node_id,
    weighed.right_node_id,
    max({{ cdp_probability('weighed.match_weight') }}) as score,
    min(weighed.observed_at) as observed_at,
    min(weighed._landed_at) as _landed_at
from weighed
inner join {{ ref('match_thresholds') }} as thresholds
    on thresholds.model = 'device'
where {{ cdp_probability('weighed.match_weight') }} >= thresholds.auto_score
group by weighed.left_node_id, weighed.right_node_id
