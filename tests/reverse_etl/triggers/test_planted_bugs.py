"""The machine notices what would hurt: each of these bugs, planted, makes a history fail."""

import os

import pytest
import test_trigger_machine as machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from reverse_etl.triggers import decide, prepare, verdict

HUNT = settings(
    max_examples=400, stateful_step_count=30, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck), phases=(Phase.generate,), report_multiple_bugs=False,
)  # fmt: skip
BUGS = {
    "purchases are not asked about": (verdict, "_BOUGHT", lambda _: verdict._NOT_BOUGHT),
    "consent is not asked about": (verdict, "_VERDICTS", lambda sql: sql.replace("coalesce(best.is_granted, 0) = 0", "false")),
    "consent is asked when deciding only": (prepare, "judge", lambda judge: _without_consent(judge)),
    "every hour is as good": (verdict, "zones_sql", lambda _: _no_zones),
    "what waits to be sent is not counted": (
        decide, "_PICK", lambda sql: sql.replace(decide.COUNTED, "('sent')"),
    ),
    "all are judged at once": (decide, "_PICK", lambda sql: sql.replace("place = 1", "place > 0")),
    "intents are not written": (prepare, "_intend", lambda _: lambda desk: None),
    "what may have arrived is sent again": (prepare, "remembers", lambda _: _for_ever),
}  # fmt: skip


def _for_ever(_):
    from datetime import timedelta

    return timedelta(days=1)


def _no_zones(*_):
    return "select '' as time_zone, cast(null as timestamp) as quiet_until where false"


def _without_consent(judge):
    def judged(warehouse, *args, **options):
        judge(warehouse, *args, **options)
        warehouse.execute(f"update {verdict.VERDICTS} set verdict = 'send' where verdict = 'no_consent'")

    return judged


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS if os.environ.get("CDP_TEST_WHOLE") == "1" else list(BUGS)[:2])
def test_a_bug_is_noticed(bug, monkeypatch):
    module, name, planted = BUGS[bug]
    monkeypatch.setattr(module, name, planted(getattr(module, name)))

    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine.WithoutIds, settings=HUNT)
