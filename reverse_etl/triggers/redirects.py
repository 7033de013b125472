"""Who a former profile id is today: asked only for ids that are no profile any more, as the view is large.

A search for few among many says `is not null` of the few: else DuckDB doesn't tell the scan of the many of them.
"""

from reverse_etl.warehouse import Warehouse

REDIRECTS = "_trigger_redirects"  # a temporary table: profile_id, current_profile_id

_GONE = """
select distinct ids.profile_id
from ({ids}) as ids
left join (
    select profile_id from profiles.profiles
    where profile_id in (select asked.profile_id from ({ids}) as asked where asked.profile_id is not null)
) as present on ids.profile_id = present.profile_id
where present.profile_id is null
"""


def lay_out_redirects(warehouse: Warehouse, ids: str) -> None:
    """Fill the table for the ids that a query gives."""
    warehouse.execute(f"drop table if exists {REDIRECTS}")
    warehouse.execute(f"create temporary table {REDIRECTS} (profile_id varchar, current_profile_id varchar)")
    gone = _GONE.format(ids=ids)
    if warehouse.execute(f"select 1 from ({gone}) as gone limit 1"):
        warehouse.execute(
            f"insert into {REDIRECTS} select distinct profile_id, current_profile_id "
            f"from identity.profile_redirects where profile_id in ({gone})"
        )
