select
    reason,
    detail,
    count(*) as pair_count,
    cast(sum(link_count) as {{ dbt.type_bigint() }}) as link_count
from {{ ref('blocked_links') }}
group by reason, detail
