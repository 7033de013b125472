"""What the sandbox remembers: members by audience, operations already applied, faults to come."""

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

TABLES = """
create table if not exists members (
    audience text, member_key text, fields text not null, primary key (audience, member_key)
) without rowid;
create table if not exists operations (
    operation_id text primary key, audience text, operation text, status text, code text
) without rowid;
create table if not exists counters (name text primary key, value integer not null);
create table if not exists faults (
    fault_id integer primary key, action text not null, times integer not null, seconds real not null
);
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure to act out; `seconds` is the Retry-After of a 429 or 503, or how long a timeout hangs."""

    action: str
    seconds: float


class State:
    """A SQLite file that several processes may open: each serves the same audiences."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600)
        self._file = file
        with self._open() as connection:
            connection.execute("pragma journal_mode = wal")
            connection.executescript(TABLES)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Connect for one block: commit at its end, roll back on any exception."""
        with (
            closing(sqlite3.connect(self._file, timeout=30, isolation_level=None)) as connection,
            connection,
        ):
            yield connection

    def apply(self, audience: str, rows: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
        """One result per row: applied, noop or rejected with a code.

        An operation seen before is not applied again: its first result is repeated.
        """
        with self._open() as connection:
            connection.execute("begin immediate")
            seen = _seen(connection, [str(row["operation_id"]) for row in rows])
            held = _held(connection, audience, [_key(row) for row in rows])
            new = {str(row["operation_id"]): _judged(row, held) for row in rows if row["operation_id"] not in seen}
            _write(connection, audience, [row for row in rows if row["operation_id"] in new], new)
            connection.execute(
                "insert into counters values ('replayed', ?) on conflict do update set value = value + excluded.value",
                [len(rows) - len(new)],
            )
        results = seen | new
        return [
            {"operation_id": id_, "status": results[id_][0], "code": results[id_][1]}
            for id_ in (str(row["operation_id"]) for row in rows)
        ]

    def audiences(self) -> dict[str, dict[str, Any]]:
        """Audience → key of the member → fields, as they are now."""
        found: dict[str, dict[str, Any]] = {}
        with self._open() as connection:
            for audience, key, fields in connection.execute("select * from members order by 1, 2"):
                found.setdefault(audience, {})[key] = json.loads(fields)
        return found

    def counts(self) -> dict[str, int]:
        """How many operations took effect, did nothing or were rejected, and how many came again."""
        with self._open() as connection:
            statuses = dict(connection.execute("select status, count(*) from operations group by status"))
            replayed = connection.execute("select value from counters where name = 'replayed'").fetchone()
        return {
            **{status: statuses.get(status, 0) for status in ("applied", "noop", "rejected")},
            "replayed": replayed[0] if replayed else 0,
        }

    def reset(self) -> None:
        """Forget everything."""
        with self._open() as connection:
            for table in ("members", "operations", "counters", "faults"):
                connection.execute(f"delete from {table}")

    def plant(self, action: str, times: int, seconds: float) -> None:
        """Fail the next `times` requests so, after the faults planted before."""
        with self._open() as connection:
            connection.execute("insert into faults (action, times, seconds) values (?, ?, ?)", [action, times, seconds])

    def next_fault(self) -> Fault | None:
        """Take the fault this request shall suffer, if any."""
        with self._open() as connection:
            if not connection.execute("select 1 from faults").fetchone():
                return None
            connection.execute("begin immediate")
            taken = connection.execute(
                "update faults set times = times - 1 where fault_id = (select min(fault_id) from faults) "
                "returning action, seconds"
            ).fetchone()
            connection.execute("delete from faults where times <= 0")
        return Fault(*taken) if taken else None


def _key(row: dict[str, Any]) -> str:
    return str(row.get("key") or "").lower()


def _seen(connection: sqlite3.Connection, ids: list[str]) -> dict[str, tuple[str, str]]:
    """Find the results of operations that came before."""
    found = connection.execute(
        "select operation_id, status, code from operations where operation_id in (select value from json_each(?))",
        [json.dumps(ids)],
    )
    return {operation_id: (status, code) for operation_id, status, code in found}


def _held(connection: sqlite3.Connection, audience: str, keys: list[str]) -> set[str]:
    found = connection.execute(
        "select member_key from members where audience = ? and member_key in (select value from json_each(?))",
        [audience, json.dumps(keys)],
    )
    return {key for (key,) in found}


def _judged(row: dict[str, Any], held: set[str]) -> tuple[str, str]:
    """Status and code of a new operation; `held` follows, so that rows take effect in their order."""
    key, code = _key(row), _flaw(row, _key(row))
    if code:
        return "rejected", code
    if row["operation"] == "put":
        held.add(key)
        return "applied", ""
    if key not in held:
        return "noop", ""
    held.discard(key)
    return "applied", ""


def _write(
    connection: sqlite3.Connection,
    audience: str,
    rows: list[dict[str, Any]],
    judged: dict[str, tuple[str, str]],
) -> None:
    """Apply new operations in their order: of each key the last one stands."""
    last = {_key(row): row for row in rows if judged[row["operation_id"]][0] != "rejected"}
    connection.executemany(
        "insert or replace into members values (?, ?, ?)",
        [
            (audience, key, json.dumps(row.get("fields") or {}))
            for key, row in last.items()
            if row["operation"] == "put"
        ],
    )
    connection.executemany(
        "delete from members where audience = ? and member_key = ?",
        [(audience, key) for key, row in last.items() if row["operation"] == "remove"],
    )
    connection.executemany(
        "insert into operations values (?, ?, ?, ?, ?)",
        [(r["operation_id"], audience, r.get("operation"), *judged[r["operation_id"]]) for r in rows],
    )


def _flaw(row: dict[str, Any], key: str) -> str:
    """Why this row is not taken; empty when it is."""
    if row.get("operation") not in {"put", "remove"}:
        return "unknown_operation"
    if not EMAIL.fullmatch(key):
        return "invalid_email"
    fields = row.get("fields") or {}
    if any(isinstance(value, dict | list) for value in fields.values()):
        return "nested_field"
    return ""
