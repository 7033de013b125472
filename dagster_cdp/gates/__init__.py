"""Whether the next stage may start: the gates at the two borders, and what they decided."""

from dagster_cdp.gates.judging import (
    GateHeld,
    accept_newest,
    held_tables,
    judge,
    judge_all,
    newest_verdicts,
    refuse_held,
)
from dagster_cdp.gates.suite import BadSuite, Expectation, Suite, all_suites, load_suite, suite_of
from dagster_cdp.gates.verdict import Finding, NoVerdict, Verdict, accept, newest_verdict

__all__ = [
    "BadSuite",
    "Expectation",
    "Finding",
    "GateHeld",
    "NoVerdict",
    "Suite",
    "Verdict",
    "accept",
    "accept_newest",
    "all_suites",
    "held_tables",
    "judge",
    "judge_all",
    "load_suite",
    "newest_verdict",
    "newest_verdicts",
    "refuse_held",
    "suite_of",
]
