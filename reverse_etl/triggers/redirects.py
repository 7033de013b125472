"""Who a former profile id is today: asked only for ids that are no profile any more, as the view is large."""

from reverse_etl.warehouse import Warehouse

REDIRECTS = "_trigger_redirects"  # a temporary table: profile_id, current_profile_id
FIRINGS = "select profile_id from activation.trigger_firings"

_GONE = """
select distinct ids.profile_id from ({ids}) as ids
where not exists (select 1 from profiles.profiles as profiles where profiles.profile_id = ids.profile_id)
"""


def lay_out_redirects(warehouse: Warehouse, ids: str = FIRINGS) -> None:
    """Fill the table for the ids that a query gives."""
    warehouse.execute(f"drop table if exists {REDIRECTS}")
    warehouse.execute(f"create temporary table {REDIRECTS} (profile_id varchar, current_profile_id varchar)")
    gone = _GONE.format(ids=ids)
    if warehouse.execute(f"select 1 from ({gone}) as gone limit 1"):
        warehouse.execute(
            f"insert into {REDIRECTS} select distinct profile_id, current_profile_id "
            f"from identity.profile_redirects where profile_id in ({gone})"
        )
