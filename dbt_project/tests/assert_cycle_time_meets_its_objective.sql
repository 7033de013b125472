{{ config(meta={'dagster': {'ref': {'name': 'cycle_time'}}}) }}

-- an owner that falls behind is found here; the objective is a variable of dbt_project.yml
select stage, kind, event_count, p95_milliseconds
from {{ ref('cycle_time') }}
where stage in ('received_to_resolved', 'due_to_acknowledged')
    and event_count >= 100
    and p95_milliseconds > {{ var('cycle_time_objective_milliseconds') }}
