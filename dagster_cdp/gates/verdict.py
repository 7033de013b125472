"""The verdicts of the gates, kept in `ops.gate_results` so that every later run can read them again.

Names and counts only: a verdict never holds a value of the data.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from dagster_cdp.gates.batch import Judged
from dagster_cdp.gates.suite import Severity
from reverse_etl.warehouse import Row, Warehouse

COLUMNS = "gate_id, suite, table_name, batch_id, suite_hash, is_passed, failed_expectations, row_count, checked_at"


class NoVerdict(LookupError):
    """No gate has judged what was asked about; the message says what to do."""


@dataclass(frozen=True)
class Finding:
    """What one expectation found: how many rows (of how many) were not as expected."""

    expect: str
    subject: str  # the column, or (table)
    severity: Severity
    is_met: bool
    unexpected: int
    of: int

    def __str__(self) -> str:
        return f"{self.expect} {self.subject}: {self.unexpected} of {self.of}"


@dataclass(frozen=True)
class Verdict:
    """The judgement of one batch by one suite; `findings` of a reused one are those that failed."""

    table: str
    batch_id: str
    suite_hash: str
    is_passed: bool
    row_count: int | None
    findings: tuple[Finding, ...] = ()
    crashed: str | None = None  # the kind of error; the gate itself could not decide
    accepted_by: str | None = None
    reason: str | None = None
    gate_id: str = ""
    checked_at: datetime | None = None  # real time, naive UTC
    reused: bool = False
    seconds: float = 0.0

    @property
    def failed(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.is_met)

    @property
    def severity(self) -> Severity | None:
        """The worst of what failed; a gate that crashed is critical."""
        if self.crashed or any(finding.severity == "critical" for finding in self.failed):
            return "critical"
        return "warning" if self.failed else None

    def __str__(self) -> str:
        state = "passed" if self.is_passed else "failed"
        accepted = f" (accepted by {self.accepted_by})" if self.accepted_by else ""
        crash = f"; the gate stopped on {self.crashed}" if self.crashed else ""
        found = "; ".join(map(str, self.failed))
        return f"{self.table} {self.batch_id} {state}{accepted}{crash}" + (f": {found}" if found else "")


def open_verdicts(warehouse: Warehouse) -> None:
    """Create the table where it is missing."""
    warehouse.execute("create schema if not exists ops")
    warehouse.execute(
        "create table if not exists ops.gate_results (gate_id varchar, suite varchar, table_name varchar,"
        " batch_id varchar, suite_hash varchar, is_passed boolean, failed_expectations varchar,"
        " row_count bigint, checked_at timestamp)"
    )


def record(verdict: Verdict, warehouse: Warehouse) -> Verdict:
    """Append it; gives the verdict with its id and moment."""
    kept = replace(verdict, gate_id=uuid.uuid4().hex, checked_at=datetime.now(UTC).replace(tzinfo=None))
    warehouse.execute(
        f"insert into ops.gate_results ({COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [kept.gate_id, kept.table, kept.table, kept.batch_id, kept.suite_hash, kept.is_passed,
         _written(kept), kept.row_count, kept.checked_at],
    )  # fmt: skip
    return kept


def accept(table: str, batch_id: str, by: str, reason: str, warehouse: Warehouse) -> Verdict:
    """Let a refused batch pass, on record. Raises `NoVerdict` when it has none."""
    past = [verdict for verdict in verdicts_on(table, warehouse) if verdict.batch_id == batch_id]
    if not past:
        raise NoVerdict(f"{table} has no verdict on batch {batch_id}: run its gate, or see `cdp gate list`")
    return record(replace(past[0], is_passed=True, accepted_by=by, reason=reason), warehouse)


def verdicts_on(table: str, warehouse: Warehouse) -> list[Verdict]:
    """Every verdict on a table, newest first."""
    rows = warehouse.execute(
        f"select {COLUMNS} from ops.gate_results where table_name = ? order by checked_at desc, gate_id",
        [table],
    )
    return [_read(row) for row in rows]


def newest_verdict(table: str, warehouse: Warehouse) -> Verdict | None:
    """Find the last word on a table; None when no gate has judged it."""
    open_verdicts(warehouse)
    return next(iter(verdicts_on(table, warehouse)), None)


def judged_batches(verdicts: Sequence[Verdict]) -> list[Judged]:
    """Keep the last word on each batch; a crash decides nothing, so its loads are still to be judged."""
    newest: dict[str, Judged] = {}
    for verdict in verdicts:
        if not verdict.crashed or verdict.accepted_by:
            newest.setdefault(verdict.batch_id, Judged(verdict.batch_id, verdict.is_passed))
    return list(newest.values())


def _written(verdict: Verdict) -> str:
    said: dict[str, Any] = {"failed": [asdict(finding) for finding in verdict.failed]}
    for name in ("crashed", "accepted_by", "reason"):
        if value := getattr(verdict, name):
            said[name] = value
    return json.dumps(said)


def _read(row: Row) -> Verdict:
    gate_id, _, table, batch_id, suite_hash, is_passed, said_text, row_count, checked_at = row
    said = json.loads(said_text)
    return Verdict(
        table=table,
        batch_id=batch_id,
        suite_hash=suite_hash,
        is_passed=is_passed,
        row_count=row_count,
        findings=tuple(Finding(**finding) for finding in said["failed"]),
        crashed=said.get("crashed"),
        accepted_by=said.get("accepted_by"),
        reason=said.get("reason"),
        gate_id=gate_id,
        checked_at=checked_at,
        reused=True,
    )
