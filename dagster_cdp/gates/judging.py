"""Judge what is new, remember what was judged, and say what may not pass.

A verdict is a row in the warehouse, so every later run reads it again, whoever starts it. No
verdict, an error while judging, or rows that came since: all of them mean no.
"""

import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from dagster_cdp.gates.batch import NOTHING, Batch, newest_batch
from dagster_cdp.gates.suite import Suite, all_suites
from dagster_cdp.gates.verdict import (
    Finding,
    NoVerdict,
    Verdict,
    accept,
    judged_batches,
    open_verdicts,
    record,
    verdicts_on,
)
from dagster_cdp.warehouse import connect
from reverse_etl.warehouse import Warehouse
from sources.configuration import read_configuration
from sources.tail import NAMED as LIVE

Examine = Callable[[Suite, Batch, datetime], Sequence[Finding]]


class GateHeld(RuntimeError):
    """A stage may not start; the message names each table, why, and what to do."""


def judge(suite: Suite, warehouse: Warehouse | None = None) -> Verdict:
    """Judge the newest batch of one table; see `judge_all`."""
    return judge_all([suite], warehouse)[0]


def judge_all(suites: Sequence[Suite], warehouse: Warehouse | None = None) -> list[Verdict]:
    """Give one verdict per suite, in order; a batch that this suite has judged before is not judged again.

    Opens the configured warehouse unless one is given. Never raises for what is in the data: a gate
    that can't decide has failed.
    """
    if warehouse is None:
        with connect("gates") as opened:
            return judge_all(suites, opened)
    from dagster_cdp.expect import Examiner  # noqa: PLC0415 - expect reads suites and batches of this package

    open_verdicts(warehouse)
    now = read_configuration().clock()
    with Examiner(_file(warehouse)) as examiner:
        return [_judge(suite, warehouse, examiner.examine, now) for suite in suites]


def _judge(suite: Suite, warehouse: Warehouse, examine: Examine, now: datetime) -> Verdict:
    began = time.monotonic()
    verdict = Verdict(suite.table, NOTHING, suite.content_hash, is_passed=False, row_count=None)
    try:
        past = verdicts_on(suite.table, warehouse)
        batch = newest_batch(suite, warehouse, judged_batches(past), now)
        if stored := _stored(past, batch, suite):
            # Later runs read the newest row, so the one that is true now has to be it.
            current = stored if stored == past[0] else record(stored, warehouse)
            return replace(current, seconds=time.monotonic() - began)
        verdict = replace(verdict, batch_id=batch.batch_id, row_count=batch.row_count)
        findings = tuple(examine(suite, batch, now))
        refused = any(item.severity == "critical" and not item.is_met for item in findings)
        verdict = replace(verdict, is_passed=not refused, findings=findings)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, an unjudged batch must not pass
        verdict = replace(verdict, crashed=_kind(error))
    return replace(record(verdict, warehouse), seconds=time.monotonic() - began)


def _stored(past: Iterable[Verdict], batch: Batch, suite: Suite) -> Verdict | None:
    """Find the last word of this suite on this batch; a crash is no word."""
    return next(
        (
            verdict
            for verdict in past
            if (verdict.batch_id, verdict.suite_hash) == (batch.batch_id, suite.content_hash)
            and (verdict.accepted_by or not verdict.crashed)
        ),
        None,
    )


def _kind(error: Exception) -> str:
    """Name the error and its place without its text, which would quote the data; ours quote nothing."""
    if type(error).__module__.startswith("dagster_cdp."):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"


def _file(warehouse: Warehouse) -> str | None:
    """Ask DuckDB for the file that this warehouse is; None for a server."""
    if read_configuration().target != "duckdb":
        return None
    [(path,)] = warehouse.execute("select path from duckdb_databases() where database_name = current_database()")
    return str(path)


def held_tables(warehouse: Warehouse, suites: Sequence[Suite]) -> dict[str, str]:
    """Which of these tables may not be read by the next stage, and why. Reads verdicts, judges nothing."""
    open_verdicts(warehouse)
    now = read_configuration().clock()
    reasons = {suite.table: _reason(suite, warehouse, now) for suite in suites}
    return {table: reason for table, reason in reasons.items() if reason}


def _reason(suite: Suite, warehouse: Warehouse, now: datetime) -> str | None:
    """Say why a table is held, by its newest verdict.

    What an owner landed since the gate holds nobody: the collector checked it, the hot models have it already, and on a
    busy shop there is always some of it. The next gate judges it.
    """
    try:
        past = verdicts_on(suite.table, warehouse)
        batch = newest_batch(suite, warehouse, judged_batches(past), now, leaves_out=LIVE)
    except Exception as error:  # noqa: BLE001 - as in judging: what can't be read may not pass
        return f"the gate stopped on {_kind(error)}"
    stored = _stored(past, batch, suite)
    if stored is None:
        crash = f": the gate stopped on {past[0].crashed}" if past and past[0].crashed else ""
        return f"batch {batch.batch_id} has not been judged{crash}"
    if stored.is_passed:
        return None
    return f"batch {batch.batch_id} failed {', '.join(map(str, stored.failed))}"


def refuse_held(schema: str) -> None:
    """Raise `GateHeld` when any table of this schema may not be read by the next stage."""
    suites = all_suites(schema)
    with connect(f"gates of {schema}") as warehouse:
        held = held_tables(warehouse, suites)
    if held:
        listed = "; ".join(f"{table}: {reason}" for table, reason in held.items())
        raise GateHeld(
            f"{listed}. Send a corrected load, or run the gate again, or let the batch pass: "
            f"`cdp gate accept {next(iter(held))} --by NAME --reason WHY`"
        )


def newest_verdicts() -> list[tuple[str, str, bool, str, datetime | None]]:
    """List the last word on each table: table, batch, passed, what failed, when (naive UTC)."""
    with connect("reading verdicts") as warehouse:
        open_verdicts(warehouse)
        tables = warehouse.execute("select distinct table_name from ops.gate_results order by table_name")
        newest = [verdicts_on(str(table), warehouse)[0] for (table,) in tables]
    return [
        (
            one.table,
            one.batch_id,
            one.is_passed,
            one.crashed or "; ".join(map(str, one.failed)),
            one.checked_at,
        )
        for one in newest
    ]


def accept_newest(table: str, *, by: str, reason: str) -> str:
    """Let the batch judged last pass, on record; gives a sentence to print."""
    with connect("accepting a batch") as warehouse:
        open_verdicts(warehouse)
        past = verdicts_on(table, warehouse)
        if not past:
            raise NoVerdict(f"{table} has no verdict: run its gate first, or see `cdp gate list`")
        if past[0].is_passed:
            return f"{table}: batch {past[0].batch_id} has passed already."
        kept = accept(table, past[0].batch_id, by, reason, warehouse)
    return f"{table}: batch {kept.batch_id} passes, accepted by {by}. Run the line again to go on."
