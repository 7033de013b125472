"""Run a sync that shares a priority list with others: first have them let go of whom it is about to take over."""

import logging
from collections.abc import Callable
from typing import Any

from reverse_etl.desired import PlanRefused
from reverse_etl.destination import DestinationRefused, NoAnswer, NotSent
from reverse_etl.lease import SyncBusy
from reverse_etl.policy import Policy, due_elsewhere, policy_of
from reverse_etl.run import Gate, SyncHeld, SyncReport, run_sync
from reverse_etl.sync import BadDeclaration, Sync, find_sync
from reverse_etl.tables import open_journal
from reverse_etl.warehouse import Warehouse

log = logging.getLogger(__name__)

# They are said again by that sync's own run; until then its people wait, and nobody is at two places.
NOT_NOW = (SyncHeld, SyncBusy, PlanRefused, BadDeclaration, DestinationRefused, NotSent, NoAnswer)
Run = Callable[[Sync], object]


def run_in_turn(warehouse: Warehouse, sync: Sync, *, gate: Gate = "required", **options: Any) -> SyncReport:
    """Run a sync, after the others of its priority lists have removed whom they no longer have but it wants."""
    policy = policy_of(sync)
    let_go(warehouse, sync, policy, lambda other: run_sync(warehouse, other, gate=gate, kind="let-go"))
    return run_sync(warehouse, sync, gate=gate, policy=policy, **options)


def let_go(
    warehouse: Warehouse, sync: Sync, policy: Policy, run: Run, find: Callable[[str], Sync] = find_sync
) -> list[str]:
    """Run the removals of those who hold somebody for whom this sync waits; who was run."""
    if not policy.lower and not policy.higher:
        return []
    open_journal(warehouse)
    others = (*policy.higher, *map(find, policy.lower))
    asked = [other for other in others if due_elsewhere(warehouse, sync, other, is_higher=other in policy.higher)]
    for other in asked:
        try:
            run(other)
        except NOT_NOW as error:
            log.warning("%s: who is still in %s waits for its next run: %s", sync.name, other.name, error)
    return [other.name for other in asked]
