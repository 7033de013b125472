"""How syncs stand and what their runs did: counts from the warehouse, never people."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from reverse_etl.account import account_name
from reverse_etl.destination import Destination, DestinationRefused, load_destination
from reverse_etl.sync import BadDeclaration, Sync
from reverse_etl.tables import open_journal
from reverse_etl.warehouse import Warehouse

OPERATIONS = ("add", "change", "remove")
_COUNTS = [
    f"{word}_{operation}" for word in ("planned", "attempted", "succeeded", "failed") for operation in OPERATIONS
]
COLUMNS = [
    "run_id", "kind", "state", "reason", "started_at", "finished_at", *_COUNTS, "audience_count", "desired_count",
    "held_count", "unknown_count", "rejected_count", "suppressed_count", "excluded_count", "held_out_count",
    "approved_by", "warnings", "request_count", "cost", "is_duplicate_possible",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """One sync now."""

    sync: str
    state: str  # of its last run; never: there was none
    ran_at: datetime | None
    reason: str
    members: int  # the destination may hold them
    unknown: int  # last sent, not answered
    rejected: int
    paused: str  # why the account is paused, or probed before it is used again
    owner: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def standing(warehouse: Warehouse, sync: Sync) -> Standing:
    """Read how a sync stands."""
    open_journal(warehouse)
    last = runs(warehouse, sync.name, 1)
    [(members, unknown)] = warehouse.execute(
        "select count(case when is_held or pending_operation is not null then 1 end), count(pending_operation) "
        "from activation.journal where sync_name = ?",
        [sync.name],
    )
    [(rejected,)] = warehouse.execute("select count(*) from activation.dead_letters where sync_name = ?", [sync.name])
    paused = warehouse.execute(
        "select failures, pause_reason from activation.accounts where account = ?", [account_name(sync, _loaded(sync))]
    )
    why = (paused[0][1] or (f"no_answer_{paused[0][0]}_times" if paused[0][0] else "")) if paused else ""
    return Standing(
        sync.name,
        str(last[0]["state"]) if last else "never",
        last[0]["started_at"] if last else None,
        str(last[0]["reason"] or "") if last else "",
        int(members), int(unknown), int(rejected), str(why), sync.owner,
    )  # fmt: skip


def _loaded(sync: Sync) -> Destination | None:
    try:
        return load_destination(sync)
    except (BadDeclaration, DestinationRefused):
        return None  # what is wrong with it is said by its runs


def runs(warehouse: Warehouse, sync_name: str, limit: int) -> list[dict[str, Any]]:
    """List a sync's last runs, the newest first."""
    rows = warehouse.execute(
        f"select {', '.join(COLUMNS)} from activation.sync_runs where sync_name = ? "
        f"order by epoch desc limit {limit:d}",
        [sync_name],
    )
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def letters(warehouse: Warehouse, sync_name: str) -> list[tuple[str, str, int]]:
    """Count dead letters: operation, reason, how many."""
    return [
        (str(operation), str(code), int(count))
        for operation, code, count in warehouse.execute(
            "select operation, coalesce(code, ''), count(*) from activation.dead_letters where sync_name = ? "
            "group by 1, 2 order by 3 desc, 1, 2",
            [sync_name],
        )
    ]


def sample(warehouse: Warehouse, run_id: str, limit: int = 3) -> dict[str, list[str]]:
    """Show some masked keys of a plan, by operation."""
    shown: dict[str, list[str]] = {}
    for operation in OPERATIONS:
        rows = warehouse.execute(
            "select coalesce(plan.record_key, journal.record_key) from activation.plan as plan "
            "left join activation.journal as journal on journal.member_id = plan.member_id "
            "and plan.run_id = concat(journal.sync_name, '-preview') "
            f"where plan.run_id = ? and plan.operation = ? order by plan.position limit {limit:d}",
            [run_id, operation],
        )
        if rows:
            shown[operation] = [masked(str(key)) for (key,) in rows if key is not None]
    return shown


def masked(key: str) -> str:
    """Enough of a key to find the row again, too little to read a person."""
    return f"{key[:2]}…{key[-2:]}" if len(key) > 6 else "…"  # noqa: PLR2004 - what is short is all hidden
