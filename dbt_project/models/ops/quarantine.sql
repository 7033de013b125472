{% for connector, table in judged_tables() %}
select
    '{{ connector }}' as connector,
    '{{ table }}' as table_name,
    _row_id,
    _rule as rule,
    _load_id,
    _landed_at
from {{ ref('judged_' ~ connector ~ '__' ~ table) }}
where _outcome = 'quarantined'
{% if not loop.last %}union all{% endif %}
{% endfor %}
