with

days as (

    select
        connector,
        table_name,
        cast(landed_at as date) as landed_on,
        outcome,
        rule,
        row_count
    from {{ ref('row_outcomes') }}

),

totals as (

    select connector, table_name, landed_on, sum(row_count) as row_count
    from days
    group by connector, table_name, landed_on

),

scrapped as (

    select connector, table_name, landed_on, outcome, rule, sum(row_count) as row_count
    from days
    where outcome <> 'published'
    group by connector, table_name, landed_on, outcome, rule

),

staged as (

    select
        scrapped.landed_on,
        'staging' as stage,
        scrapped.connector,
        scrapped.table_name,
        scrapped.outcome,
        scrapped.rule,
        cast(scrapped.row_count as {{ dbt.type_bigint() }}) as scrap_count,
        cast(totals.row_count as {{ dbt.type_bigint() }}) as total_count,
        cast(floor(scrapped.row_count * 1000000 / totals.row_count) as {{ dbt.type_bigint() }}) as scrap_ppm
    from scrapped
    inner join totals
        on scrapped.connector = totals.connector
        and scrapped.table_name = totals.table_name
        and scrapped.landed_on = totals.landed_on

),

-- messages that lacked a value: not sent, or sent with what is said instead
told as (

    select
        decided_on as landed_on,
        'activation' as stage,
        trigger_name as connector,
        message_name as table_name,
        outcome,
        rule,
        cast(scrap_count as {{ dbt.type_bigint() }}) as scrap_count,
        cast(message_count as {{ dbt.type_bigint() }}) as total_count,
        cast(floor(scrap_count * 1000000 / message_count) as {{ dbt.type_bigint() }}) as scrap_ppm
    from {{ ref('message_scrap') }}

)

select * from staged
union all
select * from told
