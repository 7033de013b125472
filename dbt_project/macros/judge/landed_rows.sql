{#
Rows of committed loads only; a build sees each row once, whatever the order in which loads commit. The load of an
owner of the warehouse grows for an hour, and is read on from where it was read before.
#}
{% macro landed_rows(connector, table) -%}
{%- if is_incremental() -%}
{%- set unread -%}
(
    select committed.load_id, read_before.read_until_at
    from {{ source('raw', '_dlt_loads') }} as committed
    left join (
        select known._load_id, max(known._landed_at) as read_until_at
        from {{ this }} as known
        group by known._load_id
    ) as read_before on committed.load_id = read_before._load_id
    left join (
        select accounts.load_id, max(accounts._landed_at) as landed_until_at
        from {{ source('raw', 'loads') }} as accounts
        where accounts.connector = '{{ connector }}' and accounts.table_name = '{{ table }}'
        group by accounts.load_id
    ) as grown on committed.load_id = grown.load_id
    where committed.status = 0
        and (read_before._load_id is null or grown.landed_until_at > read_before.read_until_at)
)
{%- endset -%}
select landed.*
from {{ source('raw', connector ~ '__' ~ table) }} as landed
inner join {{ unread }} as unread on landed._dlt_load_id = unread.load_id
where unread.read_until_at is null

union all

{# The moment alone tells an engine which blocks it need not read: else each row that a load has is fetched again. -#}
select landed.*
from (
    select * from {{ source('raw', connector ~ '__' ~ table) }}
    where _landed_at > (select min(unread.read_until_at) from {{ unread }} as unread)
) as landed
inner join {{ unread }} as unread on landed._dlt_load_id = unread.load_id
where landed._landed_at > unread.read_until_at
{%- else -%}
select landed.*
from {{ source('raw', connector ~ '__' ~ table) }} as landed
where landed._dlt_load_id in (
    select committed.load_id from {{ source('raw', '_dlt_loads') }} as committed where committed.status = 0
)
{%- endif %}
{%- endmacro %}
