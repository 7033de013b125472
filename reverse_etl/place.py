"""Where a sync's members are: who is on a list is taken off that list, so a sync doesn't move to another unnoticed."""

import json

from reverse_etl.destination import Destination
from reverse_etl.environment import command
from reverse_etl.sync import BadDeclaration, Sync
from reverse_etl.warehouse import Warehouse

# Options that say where, at whatever destination; one whose place is said otherwise has a `place` of its own.
WORDS = frozenset(
    [
        "ad_account",
        "advertiser_id",
        "attribute",
        "audience_id",
        "folder",
        "list_id",
        "member_field",
        "object",
        "operating_account",
        "segment_id",
        "table",
        "tag",
        "url",
        "url_variable",
    ]
)
_STATELESS = {"append_events", "remove"}  # nobody of theirs is ever taken off


def stay(warehouse: Warehouse, sync: Sync, destination: Destination, *, run_id: str = "", moves: bool = False) -> None:
    """Raise BadDeclaration when members are held at another place than the options say, unless the run `moves`.

    With `run_id` the place is written down.
    """
    own = getattr(destination, "place", None)
    said = {name: value for name, value in sync.options.items() if name in WORDS} if own is None else own
    here = json.dumps({name: str(value) for name, value in said.items()}, sort_keys=True)
    if not moves and sync.mode not in _STATELESS:
        _refuse_another(warehouse, sync, here)
    if run_id:
        warehouse.execute("update activation.sync_runs set place = ? where run_id = ?", [here, run_id])


def _refuse_another(warehouse: Warehouse, sync: Sync, here: str) -> None:
    last = warehouse.execute(
        "select place from activation.sync_runs where sync_name = ? and place is not null order by epoch desc limit 1",
        [sync.name],
    )
    if not last or (there := str(last[0][0])) == here:
        return
    [(held,)] = warehouse.execute(
        "select count(*) from activation.journal where sync_name = ? and (is_held or pending_operation is not null)",
        [sync.name],
    )
    if held:
        raise BadDeclaration(
            f"{sync.name}.yml: {held} members are at {there}, and the options now say {here}: nobody would ever take "
            f"them off there. Say the old place again and empty it first (README, `Move a sync`), or leave them there "
            f"for good: {command()} resync {sync.name}"
        )
