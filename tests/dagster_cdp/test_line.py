"""What a run's report says of its checks: what stops something stands apart from what only warns."""

import dagster as dg

from dagster_cdp.line import _report


@dg.asset(check_specs=[dg.AssetCheckSpec(name, asset="visits") for name in ("empty", "broken", "sound")])
def visits():
    yield dg.MaterializeResult(
        check_results=[
            dg.AssetCheckResult(check_name="empty", passed=False, severity=dg.AssetCheckSeverity.WARN),
            dg.AssetCheckResult(check_name="broken", passed=False, severity=dg.AssetCheckSeverity.ERROR),
            dg.AssetCheckResult(check_name="sound", passed=True),
        ]
    )


def test_a_check_that_only_warns_is_not_one_that_failed():
    with dg.instance_for_test() as instance:
        ran = dg.materialize([visits], instance=instance, raise_on_error=False)
        report = _report(ran.run_id, ran.success, instance.all_logs(ran.run_id))
    assert report.failed_checks == ["visits: broken"]
    assert report.warnings == ["visits: empty"]
