"""Who a former profile id is today, and what is known of these people: asked once for all triggers that are due.

A search for few among many filters the few, by what DuckDB can't know to hold for all: else it doesn't tell the scan of
the many what is looked for.
"""

from reverse_etl.warehouse import Warehouse

REDIRECTS = "_trigger_redirects"  # a temporary table: profile_id, current_profile_id
PEOPLE = "_trigger_people"  # a temporary table: of each profile how sure it is, where it is reached, and its clock

_CHOSEN = "where profile_id in (select asked.profile_id from ({ids}) as asked where length(asked.profile_id) > 0)"
_GONE = f"""
select distinct ids.profile_id
from ({{ids}}) as ids
left join (select profile_id from {{among}} {_CHOSEN}) as present on ids.profile_id = present.profile_id
where present.profile_id is null
"""
_PEOPLE = f"""
select profiles.*, coalesce(zones.time_zone, '') as time_zone
from (select profile_id, email, phone, confidence from profiles.profiles {_CHOSEN}) as profiles
left join (select profile_id, time_zone from profiles.time_zones {_CHOSEN}) as zones
    on profiles.profile_id = zones.profile_id
"""
_CURRENT = f"select current_profile_id as profile_id from {REDIRECTS}"


def lay_out_redirects(warehouse: Warehouse, ids: str, among: str = "profiles.profiles") -> None:
    """Fill the table for those ids of a query that are no profile any more: of others the large view isn't asked."""
    warehouse.execute(f"drop table if exists {REDIRECTS}")
    warehouse.execute(f"create temporary table {REDIRECTS} (profile_id varchar, current_profile_id varchar)")
    gone = _GONE.format(ids=ids, among=among)
    if warehouse.execute(f"select 1 from ({gone}) as gone limit 1"):
        warehouse.execute(
            f"insert into {REDIRECTS} select distinct profile_id, current_profile_id "
            f"from identity.profile_redirects where profile_id in ({gone})"
        )


def lay_out_people(warehouse: Warehouse, ids: str) -> None:
    """Fill both tables for the ids that a query gives; `PEOPLE` has each profile that one of them is or leads to."""
    warehouse.execute(f"drop table if exists {PEOPLE}")
    warehouse.execute(f"create temporary table {PEOPLE} as {_PEOPLE.format(ids=ids)}")
    lay_out_redirects(warehouse, ids, among=PEOPLE)
    if warehouse.execute(f"select 1 from {REDIRECTS} limit 1"):
        people = _PEOPLE.format(ids=_CURRENT)
        warehouse.execute(
            f"insert into {PEOPLE} select * from ({people}) as led "
            f"where led.profile_id not in (select profile_id from {PEOPLE})"
        )
