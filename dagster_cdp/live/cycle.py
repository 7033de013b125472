"""One cycle: what is new in the log is landed and the hot models brought up to it, in one transaction.

Whatever happens, either all of it is in the warehouse, with the place in the log behind it, or nothing.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import duckdb

from dagster_cdp.live.plan import Plan
from reverse_etl.contended import is_conflict
from sources.tail import Prepared, Tail

TIMES = "ops.live_cycles"
NOTED = "load_id, lane, rows_landed_at, line_count, began_at, landed_at, resolved_at, decided_at"
KEPT = timedelta(days=2)  # `cycle_time` looks at one

# What else belongs to the transaction of a cycle, as the outbox of the triggers: called with the connection and now.
Part = Callable[[duckdb.DuckDBPyConnection, datetime], None]


class CycleFailed(RuntimeError):
    """The warehouse refused a statement of a cycle, of which nothing has happened; no word of it quotes a value."""


@dataclass(frozen=True)
class CycleReport:
    """What one cycle did, and how long each step took."""

    began_at: datetime
    lines: int
    bytes: int
    load_id: str
    seconds: float
    landing_seconds: float = 0.0
    model_seconds: dict[str, float] = field(default_factory=dict)
    changed: frozenset[str] = frozenset()  # unique ids of what was written


def tune(connection: duckdb.DuckDBPyConnection) -> None:
    """Set up the whole instance for cycles."""
    # A checkpoint looks at every table, so it is for hundreds of cycles, not for five.
    connection.execute("set wal_autocheckpoint = '512MB'")


def prepare_books(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table that says when each batch was landed and resolved."""
    connection.execute("create schema if not exists ops")
    connection.execute(
        f"create table if not exists {TIMES} (load_id varchar, lane varchar, rows_landed_at timestamp, "
        "line_count bigint, began_at timestamp, landed_at timestamp, resolved_at timestamp, decided_at timestamp)"
    )
    connection.execute(f"alter table {TIMES} add column if not exists rows_landed_at timestamp")


def cycle(
    tail: Tail,
    plan: Plan,
    connection: duckdb.DuckDBPyConnection,
    prepared: Sequence[Prepared],
    parts: Sequence[Part],
    *,
    is_tick: bool = False,
) -> CycleReport:
    """Land what was prepared, run the hot models and the parts, commit. On any error nothing has happened.

    Raises CycleFailed for what DuckDB refuses, but for a conflict, after which one begins again.
    """
    began, began_at, plan.at = time.perf_counter(), now(), ""
    with _transaction(connection, plan):
        load_id = tail.land(prepared, connection)
        landed_at, landing = now(), time.perf_counter() - began
        plan.run(connection, {batch.source.raw_name(batch.table) for batch in prepared}, is_tick=is_tick)
        resolved_at = now()
        for part in parts:
            part(connection, resolved_at)
        _note(connection, prepared, load_id, (began_at, landed_at, resolved_at, now()))
    tail.committed(prepared)
    return CycleReport(
        began_at=began_at,
        lines=sum(batch.line_count for batch in prepared),
        bytes=sum(batch.byte_count for batch in prepared),
        load_id=load_id,
        seconds=time.perf_counter() - began,
        landing_seconds=landing,
        model_seconds=dict(plan.seconds),
        changed=frozenset(plan.changed),
    )


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection, plan: Plan) -> Iterator[None]:
    # A cycle joins a little that is new with much that is known; DuckDB, which can't know how little, would build its
    # hash tables on the other side (1.2 s of CPU for a model, not 0.3), and read the newest row of each of a few twice.
    connection.execute("set disabled_optimizers = 'build_side_probe_side,top_n_window_elimination'")
    connection.execute("begin transaction")
    try:
        yield
        connection.execute("commit")
    except BaseException as fault:
        _roll_back(connection)
        if isinstance(fault, duckdb.Error) and not is_conflict(fault):
            raise CycleFailed(_told(plan.at, type(fault).__name__)) from fault
        raise
    finally:
        connection.execute("reset disabled_optimizers")  # it is the whole instance's, batches included


def _told(model: str, kind: str) -> str:
    if model:
        return f"a cycle failed at {model} ({kind}): `dbt build --select {model}` shows why"
    return f"a cycle failed ({kind}): landing or a trigger could not be run"


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    with suppress(duckdb.TransactionException):  # what fails while it commits is rolled back already
        connection.execute("rollback")


def _note(
    connection: duckdb.DuckDBPyConnection,
    prepared: Sequence[Prepared],
    load_id: str,
    times: tuple[datetime, ...],
) -> None:
    """Keep the moments of each lane's batch, whose rows say when they landed; those of the days before go."""
    for batch in prepared:
        row = [load_id, batch.lane, batch.landed_at, batch.line_count, *times]
        connection.execute(f"insert into {TIMES} ({NOTED}) values (?, ?, ?, ?, ?, ?, ?, ?)", row)
    if prepared:
        connection.execute(f"delete from {TIMES} where began_at < ?", [times[0] - KEPT])


def now() -> datetime:
    """The real time, naive UTC: how long things take is measured, whatever CDP_NOW says."""
    return datetime.now(UTC).replace(tzinfo=None)
