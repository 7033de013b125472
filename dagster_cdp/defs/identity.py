"""A few people explained after each build of the identity graph; a check that blocks nothing."""

import dagster as dg

from dagster_cdp.identity.sample import sample_explanation
from dagster_cdp.progress import say
from dagster_cdp.warehouse import connect

SHOWN = 3
BLOB = 1_000  # identifiers from which on a profile is hardly one person


@dg.multi_asset_check(
    name="explain_identity",
    specs=[
        dg.AssetCheckSpec(
            "explained",
            asset=["identity", "profile_identifiers"],
            description=f"Why {SHOWN} people are people, masked; warns of a profile of {BLOB:,} identifiers or more.",
            automation_condition=dg.AutomationCondition.eager(),
        )
    ],
)
def explain_identity(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """Another few people in each run."""
    say("identity", "explanations")
    with connect("explanations") as warehouse:
        sample = sample_explanation(warehouse, SHOWN, context.op_execution_context.run_id)
    return dg.AssetCheckResult(
        passed=sample.largest_profile < BLOB,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "explanations": dg.MetadataValue.md(sample.markdown),
            "largest_profile": sample.largest_profile,
            "largest_profile_id": sample.largest_profile_id or "none",
            "bridges": sample.bridges,
        },
    )


@dg.definitions
def identity() -> dg.Definitions:
    return dg.Definitions(asset_checks=[explain_identity])
