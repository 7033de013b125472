"""What is chosen to run, and what a run's report says: what stops something stands apart from what only warns."""

import dagster as dg
import pytest

from dagster_cdp.line import BadSelection, _chosen, _report


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


def test_what_is_selected_is_there():
    line = dg.Definitions(assets=[visits])
    assert _chosen("group:default", line).resolve(line.resolve_asset_graph()) == {visits.key}
    assert _chosen(None, line) == dg.AssetSelection.all()


@pytest.mark.parametrize(
    ("selection", "why"),
    [
        ("group:(", r"can't read the selection 'group:\(': write it like"),
        ("group:typo", "nothing is selected by 'group:typo': .*the groups are default"),
        ("typo", "nothing is selected by 'typo'"),
        ("key:typo", "nothing is selected by 'key:typo'"),
    ],
)
def test_a_selection_of_nothing_is_refused_with_what_there_is(selection, why):
    with pytest.raises(BadSelection, match=why):
        _chosen(selection, dg.Definitions(assets=[visits]))
