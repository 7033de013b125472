{# Rows of committed loads only; a build sees each load once, whatever the order in which loads commit. #}
{% macro landed_rows(connector, table) -%}
select landed.*
from {{ source('raw', connector ~ '__' ~ table) }} as landed
where
    landed._dlt_load_id in (
        select committed.load_id
        from {{ source('raw', '_dlt_loads') }} as committed
        {%- if is_incremental() %}
        left join (select distinct known._load_id from {{ this }} as known) as read_before
            on committed.load_id = read_before._load_id
        {%- endif %}
        where committed.status = 0
        {%- if is_incremental() %}
            and read_before._load_id is null
        {%- endif %}
    )
{%- endmacro %}
