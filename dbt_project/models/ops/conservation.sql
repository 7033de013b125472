with

committed as (

    select load_id from {{ source('raw', '_dlt_loads') }} where status = 0

),

landed as (
    {% for connector, table in judged_tables() %}
    select
        '{{ connector }}' as connector,
        '{{ table }}' as table_name,
        _dlt_load_id as load_id,
        count(*) as row_count
    from {{ source('raw', connector ~ '__' ~ table) }}
    group by _dlt_load_id
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

counts as (

    select connector, table_name, load_id, 'landed' as kind, row_count
    from landed
    union all
    select connector, table_name, load_id, 'reported' as kind, accepted_count as row_count
    from {{ source('raw', 'loads') }}
    union all
    select connector, table_name, load_id, outcome as kind, row_count
    from {{ ref('row_outcomes') }}

)

select
    counts.connector,
    counts.table_name,
    counts.load_id,
    {% for kind in ['reported', 'landed', 'published', 'quarantined', 'duplicate', 'suppressed'] %}
    cast(sum(case when counts.kind = '{{ kind }}' then counts.row_count else 0 end) as {{ dbt.type_bigint() }})
        as {{ kind }}_count{{ ',' if not loop.last }}
    {% endfor %}
from counts
inner join committed on counts.load_id = committed.load_id
group by counts.connector, counts.table_name, counts.load_id
