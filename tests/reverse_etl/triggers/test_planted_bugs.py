"""The machine notices what would hurt: each of these bugs, planted, makes a history fail."""

import os
from datetime import timedelta

import pytest
import test_trigger_machine as machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from reverse_etl.triggers import bought, decide, prepare, verdict

HUNT = settings(
    max_examples=400, stateful_step_count=30, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck), phases=(Phase.generate,), report_multiple_bugs=False,
)  # fmt: skip
BUGS = {
    "purchases are not asked about": (bought, "_BOUGHT", bought._NOT_BOUGHT),
    "consent is not asked about": (
        verdict, "_VERDICTS", verdict._VERDICTS.replace("coalesce(best.is_granted, 0) = 0", "false"),
    ),
    "consent is asked when deciding only": (prepare, "judge", None),
    "every hour is as good": (verdict, "zones_sql", None),
    "what waits to be sent is not counted": (decide, "_PICK", decide._PICK.replace(decide.COUNTED, "('sent')")),
    "all are judged at once": (decide, "_PICK", decide._PICK.replace("place = 1", "place > 0")),
    "intents are not written": (prepare, "_intend", id),
    "what may have arrived is sent again": (prepare, "remembers", None),
}  # fmt: skip


def _for_ever(_):
    return timedelta(days=1)


def _no_zones(*_):
    return "select '' as time_zone, cast(null as timestamp) as quiet_until where false"


def _without_consent(warehouse, *args, **options):
    verdict.judge(warehouse, *args, **options)
    warehouse.execute(f"update {verdict.VERDICTS} set verdict = 'send' where verdict = 'no_consent'")


WRITTEN = {"judge": _without_consent, "zones_sql": _no_zones, "remembers": _for_ever}


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS if os.environ.get("CDP_TEST_WHOLE") == "1" else list(BUGS)[:2])
def test_a_bug_is_noticed(bug, monkeypatch):
    module, name, planted = BUGS[bug]
    planted = planted or WRITTEN[name]
    monkeypatch.setattr(module, name, planted)

    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine.WithoutIds, settings=HUNT)
