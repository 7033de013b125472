"""audiences → outside: one asset per sync, held by a red gate, with what was sent as its metadata."""

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg

from dagster_cdp.progress import say
from dagster_cdp.warehouse import connect
from reverse_etl.run import run_sync
from reverse_etl.run_log import OPERATIONS, SyncReport
from reverse_etl.sync import Sync, all_syncs


def sync_asset(sync: Sync) -> dg.AssetsDefinition:
    eager = dg.AutomationCondition.eager()
    decorate: Callable[..., dg.AssetsDefinition] = dg.asset(
        key=["activation", sync.name],
        # A consent that was withdrawn is a change too.
        deps=[dg.AssetKey(["audiences", sync.audience]), dg.AssetKey(["profiles", "consents"])],
        group_name="activation",
        description=f"{sync.audience} → {sync.destination}, for {sync.purpose} by {sync.channel}.",
        kinds={"reverse_etl"},
        automation_condition=eager & dg.AutomationCondition.all_deps_blocking_checks_passed(),
    )

    def deliver() -> dg.MaterializeResult[Any]:
        say("activation", sync.name)
        with connect(f"sync {sync.name}") as warehouse:
            report = run_sync(warehouse, sync)
        return dg.MaterializeResult(metadata=counts(report))

    return decorate(deliver)


def counts(report: SyncReport) -> Mapping[str, Any]:
    """Delivered changes by operation, everything that was not delivered by reason, and who is a member now."""
    sent = {f"sent_{operation}": report.outcomes.get(operation, {}).get("delivered", 0) for operation in OPERATIONS}
    return {
        **sent,
        "state": report.state,
        "audience": report.plan.audience,
        "consented": report.plan.desired,
        "not_delivered": dict(report.reasons),
        "requests": report.requests,
        "duplicates_possible": report.duplicates_possible,
        "seconds": report.seconds,
    }


@dg.definitions
def activation() -> dg.Definitions:
    return dg.Definitions(assets=[sync_asset(sync) for sync in all_syncs()])
