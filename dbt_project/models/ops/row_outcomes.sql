{% for connector, table in judged_tables() %}
select
    '{{ connector }}' as connector,
    '{{ table }}' as table_name,
    _load_id as load_id,
    _landed_at as landed_at,
    _outcome as outcome,
    _rule as rule,
    count(*) as row_count
from {{ ref('judged_' ~ connector ~ '__' ~ table) }}
group by _load_id, _landed_at, _outcome, _rule
{% if not loop.last %}union all{% endif %}
{% endfor %}
