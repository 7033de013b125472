{{ config(materialized='view') }}
{%- set way_in = [
    ('stored', 'received_at', 'stored_at'),
    ('read', 'coalesce(stored_at, received_at)', 'read_at'),
    ('landed', 'read_at', 'landed_at'),
    ('resolved', 'landed_at', 'resolved_at'),
    ('received_to_resolved', 'received_at', 'resolved_at'),
] %}
{%- set way_out = [
    ('decided', 'greatest(times.resolved_at, answers.due_at)', 'answers.decided_at'),
    ('sent', 'answers.decided_at', 'answers.sent_at'),
    ('acknowledged', 'answers.sent_at', 'answers.acknowledged_at'),
    ('due_to_acknowledged', 'greatest(times.received_at, answers.due_at)', 'answers.acknowledged_at'),
] %}

-- of the events of the last day how long each stage took, and each kind of answer; a percentile is the least that so
-- many don't exceed
with

times as (

    select * from {{ ref('event_times') }}
    where received_at >= {{ dbt.dateadd('day', -1, cdp_now()) }}

),

taken as (
{% for stage, earlier, later in way_in %}
    select
        {{ loop.index }} as position,
        '{{ stage }}' as stage,
        'event' as kind,
        {{ cdp_milliseconds_between(earlier, later) }} as milliseconds
    from times
    where {{ later }} is not null
    union all
{%- endfor %}
{%- for stage, earlier, later in way_out %}
    select
        {{ loop.index + way_in | length }},
        '{{ stage }}',
        answers.kind,
        {{ cdp_milliseconds_between(earlier, later) }}
    from {{ ref('event_answers') }} as answers
    inner join times on answers.event_id = times.event_id
    where {{ later }} is not null
    {{ 'union all' if not loop.last }}
{%- endfor %}
),

ranked as (

    select
        taken.*,
        row_number() over (partition by stage, kind order by milliseconds) as place,
        count(*) over (partition by stage, kind) as event_count
    from taken

)

select
    position,
    stage,
    kind,
    max(event_count) as event_count,
    {% for percent in [50, 95, 99] %}
    min(case when place * 100 >= event_count * {{ percent }} then milliseconds end) as p{{ percent }}_milliseconds,
    {% endfor %}
    max(milliseconds) as max_milliseconds
from ranked
group by position, stage, kind
