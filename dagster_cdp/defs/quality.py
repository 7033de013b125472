"""The gates at the two borders, as blocking checks: what came in, and what is about to leave.

A blocking check holds only the run it is part of; the verdict is also a row that staging and every
sync read again, so no other run slips past it.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import dagster as dg

from dagster_cdp.gates import Suite, Verdict, all_suites, judge_all
from dagster_cdp.progress import say
from dagster_cdp.warehouse import ask_owner, connect, is_owned, turn
from sources.configuration import read_configuration

CHECK = "gate"


def gate_spec(suite: Suite) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        CHECK,
        asset=dg.AssetKey(suite.table.split(".")),
        blocking=True,
        description=f"{suite.description} ({len(suite.expectations)} expectations, owner {suite.owner})",
        automation_condition=dg.AutomationCondition.eager(),
    )


def gate(stage: str, suites: list[Suite]) -> dg.AssetChecksDefinition:
    """One step for all suites of a border: importing Great Expectations costs 4 CPU seconds."""

    @dg.multi_asset_check(name=f"gate_{stage}", specs=[gate_spec(suite) for suite in suites], can_subset=True)
    def check(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        say("gates", stage)
        wanted = {".".join(key.asset_key.path) for key in context.selected_asset_check_keys}
        if is_owned(read_configuration()):
            with turn(f"gate {stage}"):
                verdicts = ask_owner("gate", sorted(wanted))
        else:
            with connect(f"gate {stage}") as warehouse:
                verdicts = judge_all([suite for suite in suites if suite.table in wanted], warehouse)
        yield from map(check_result, verdicts)

    return check


def check_result(verdict: Verdict) -> dg.AssetCheckResult:
    # A warning is shown as failed and stops nothing; what somebody accepted on record has passed.
    is_clean = verdict.is_passed and (not verdict.failed or verdict.accepted_by is not None)
    found: dict[str, Any] = {str(finding): finding.severity for finding in verdict.failed}
    return dg.AssetCheckResult(
        passed=is_clean,
        asset_key=verdict.table.split("."),
        check_name=CHECK,
        severity=dg.AssetCheckSeverity.WARN if verdict.is_passed else dg.AssetCheckSeverity.ERROR,
        description=str(verdict),
        metadata={
            "batch": verdict.batch_id,
            "rows": verdict.row_count or 0,
            "judged_before": verdict.reused,
            "not_as_expected": found,
        },
    )


@dg.definitions
def quality() -> dg.Definitions:
    by_stage = groupby(all_suites(), key=lambda suite: suite.table.split(".")[0])
    return dg.Definitions(asset_checks=[gate(stage, list(suites)) for stage, suites in by_stage])
