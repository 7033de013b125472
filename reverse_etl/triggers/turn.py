"""One opens and decides at a time, whoever it is: the owner of the warehouse, a command, a run of Dagster."""

from reverse_etl.warehouse import Warehouse

TURN = "triggers.decide"


def take_turn(warehouse: Warehouse) -> None:
    """Write the row that each of them writes: until this transaction ends another waits, or has to begin again."""
    warehouse.execute(
        f"insert into activation.leases (sync_name, epoch, expires_at) values ('{TURN}', 0, timestamp '1970-01-01') "
        "on conflict do nothing"
    )
    warehouse.execute(f"update activation.leases set epoch = epoch + 1 where sync_name = '{TURN}'")
