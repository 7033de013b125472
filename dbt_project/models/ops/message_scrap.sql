with

scrapped as (

    {{ activation_rows('message_scrap', {
        'message_id': dbt.type_string(), 'trigger_name': dbt.type_string(), 'channel': dbt.type_string(),
        'message_name': dbt.type_string(), 'field': dbt.type_string(), 'reason': dbt.type_string(),
        'scrapped_at': dbt.type_timestamp(),
    }) }}

),

decided as (

    {{ activation_rows('outbox', {'message_id': dbt.type_string(), 'decided_at': dbt.type_timestamp()}) }}

),

days as (

    select cast(decided_at as date) as decided_on, count(*) as message_count
    from decided
    group by cast(decided_at as date)

),

reasons as (

    select
        cast(decided.decided_at as date) as decided_on,
        scrapped.trigger_name,
        scrapped.message_name,
        case when scrapped.reason like 'fallback%' then 'fallback' else 'not_sent' end as outcome,
        scrapped.reason || '_' || scrapped.field as rule,
        count(*) as scrap_count
    from scrapped
    inner join decided
        on scrapped.message_id = decided.message_id
    group by
        cast(decided.decided_at as date), scrapped.trigger_name, scrapped.message_name, scrapped.reason, scrapped.field

)

select
    reasons.decided_on,
    reasons.trigger_name,
    reasons.message_name,
    reasons.outcome,
    reasons.rule,
    reasons.scrap_count,
    days.message_count
from reasons
inner join days
    on reasons.decided_on = days.decided_on
