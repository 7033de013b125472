{{ config(materialized='view') }}
{%- set stages = [
    ('read', 'received_at', 'read_at'),
    ('landed', 'read_at', 'landed_at'),
    ('resolved', 'landed_at', 'resolved_at'),
    ('received_to_resolved', 'received_at', 'resolved_at'),
    ('decided', 'greatest(resolved_at, due_at)', 'decided_at'),
    ('sent', 'decided_at', 'sent_at'),
    ('acknowledged', 'sent_at', 'acknowledged_at'),
    ('due_to_acknowledged', 'greatest(received_at, due_at)', 'acknowledged_at'),
] %}

-- of the events of the last day how long each stage took; a percentile is the least that so many don't exceed
with

times as (

    select * from {{ ref('event_times') }}
    where received_at >= {{ dbt.dateadd('day', -1, cdp_now()) }}

),

taken as (
{% for stage, earlier, later in stages %}
    select
        {{ loop.index }} as position,
        '{{ stage }}' as stage,
        {{ cdp_milliseconds_between(earlier, later) }} as milliseconds
    from times
    where {{ later }} is not null
    {{ 'union all' if not loop.last }}
{%- endfor %}
),

ranked as (

    select
        taken.*,
        row_number() over (partition by stage order by milliseconds) as place,
        count(*) over (partition by stage) as event_count
    from taken

)

select
    position,
    stage,
    max(event_count) as event_count,
    {% for percent in [50, 95, 99] %}
    min(case when place * 100 >= event_count * {{ percent }} then milliseconds end) as p{{ percent }}_milliseconds,
    {% endfor %}
    max(milliseconds) as max_milliseconds
from ranked
group by position, stage
