"""Of whom anything changed, their consent included, and who was merged away: as the models note it, build by build."""

from reverse_etl.warehouse import Warehouse


def newest_batch(warehouse: Warehouse) -> int:
    """Give the number of the last build that changed somebody; 0 for none."""
    [(batch,)] = warehouse.execute("select coalesce(max(_batch), 0) from identity.touched_profiles")
    return int(batch)


def touched_since(batch: int) -> str:
    """Write SQL: the profiles that a later build changed."""
    return f"select profile_id from identity.touched_profiles where profile_id is not null and _batch > {batch}"
