"""audiences → outside: one asset per sync, held by a red gate, with what was sent as its metadata and its checks."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dagster as dg

from dagster_cdp.membership import as_markdown, members_over_time, plot
from dagster_cdp.progress import say
from dagster_cdp.warehouse import connect
from reverse_etl.desired import PlanRefused
from reverse_etl.destination import DestinationRefused
from reverse_etl.history import Standing, standing
from reverse_etl.ladder import run_in_turn
from reverse_etl.run import SyncHeld
from reverse_etl.run_log import OPERATIONS, SyncReport
from reverse_etl.sync import BadDeclaration, Sync, all_syncs
from reverse_etl.untold import withheld

CHECKS = {
    "not_held": "No guard and no gate holds the last run.",
    "few_rejected": "At most 5 % of the members are rejected.",
    "no_backlog": "At most 5 % of the members wait for an answer.",
}
MOST = 0.05
PATIENCE = 600.0  # seconds for a run of the same sync that is under way, as the owner's when it starts
ACT = (SyncHeld, PlanRefused, BadDeclaration, DestinationRefused)  # errors that a person must act on


def sync_asset(sync: Sync) -> dg.AssetsDefinition:
    key = dg.AssetKey(["activation", sync.name])
    eager = dg.AutomationCondition.eager()
    decorate: Callable[..., dg.AssetsDefinition] = dg.asset(
        key=key,
        # A consent that was withdrawn is a change too.
        deps=[
            dg.AssetKey(["audiences", sync.audience]),
            dg.AssetKey(["profiles", "consents"]),
            *(dg.AssetKey(["activation", name]) for name in sync.after),
        ],
        group_name="activation",
        description=f"{sync.audience} → {sync.destination}, for {' and '.join(sync.purposes)} by {sync.channel}.",
        kinds={"reverse_etl"},
        owners=[sync.owner],
        check_specs=[dg.AssetCheckSpec(name, asset=key, description=words) for name, words in CHECKS.items()],
        automation_condition=eager & dg.AutomationCondition.all_deps_blocking_checks_passed(),
    )

    def deliver() -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[Any]]:
        say("activation", sync.name)
        with withheld(dg.Failure), connect(f"sync {sync.name}") as warehouse:
            report, failure = None, None
            try:
                report = run_in_turn(warehouse, sync, wait_seconds=PATIENCE)
            except ACT as error:
                failure = error
            now = standing(warehouse, sync)
            picture = as_markdown(plot(members_over_time(warehouse, sync.name)))
        yield from checks(now)
        if report is None:
            raise dg.Failure(
                f"{failure}. Who must act: {sync.owner}", {"members_over_time": dg.MetadataValue.md(picture)}
            ) from failure
        yield dg.MaterializeResult(
            metadata={**counts(report), "members": now.members, "members_over_time": dg.MetadataValue.md(picture)}
        )

    return decorate(deliver)


def checks(now: Standing) -> Iterator[dg.AssetCheckResult]:
    """Judge how a sync stands after a run; a warning, for the asset fails by itself when it must."""
    of = max(1, now.members + now.rejected)
    verdicts: dict[str, tuple[bool, dict[str, str | int]]] = {
        "not_held": (now.state not in {"held", "blocked"}, {"reason": now.reason}),
        "few_rejected": (now.rejected <= MOST * of, {"rejected": now.rejected, "members": now.members}),
        "no_backlog": (now.unknown <= MOST * of, {"unanswered": now.unknown, "members": now.members}),
    }
    for name, (passed, facts) in verdicts.items():
        yield dg.AssetCheckResult(
            check_name=name,
            passed=passed,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={**facts, **({} if passed else {"who_must_act": now.owner})},
        )


def counts(report: SyncReport) -> Mapping[str, Any]:
    """Delivered changes by operation, everything that was not delivered by reason, and who is a member now."""
    sent = {f"sent_{operation}": report.outcomes.get(operation, {}).get("delivered", 0) for operation in OPERATIONS}
    return {
        **sent,
        "state": report.state,
        "audience": report.plan.audience,
        "consented": report.plan.desired,
        "excluded": report.plan.excluded,
        "held_out": report.plan.held_out,
        "not_delivered": dict(report.reasons),
        "warnings": list(report.warnings),
        "requests": report.requests,
        "cost": report.cost,
        "duplicates_possible": report.duplicates_possible,
        "seconds": report.seconds,
    }


@dg.definitions
def activation() -> dg.Definitions:
    return dg.Definitions(assets=[sync_asset(sync) for sync in all_syncs()])
