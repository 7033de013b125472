"""What the sandbox remembers: members by audience, operations already applied, faults to come, requests made."""

import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reverse_etl.environment import now
from reverse_etl.sandbox import fault, store
from reverse_etl.sandbox.store import File

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

TABLES = """
create table if not exists members (
    audience text, member_key text, fields text not null, primary key (audience, member_key)
) without rowid;
create table if not exists operations (
    operation_id text primary key, audience text, operation text, status text, code text
) without rowid;
create table if not exists counters (name text primary key, value integer not null);
create table if not exists requests (
    request_id integer primary key, received_at text, vendor text, method text, path text, bytes integer,
    status integer, fault text
);
"""
LONGEST_LOG = 10_000


class State:
    """A SQLite file that several processes may open: each serves the same audiences."""

    def __init__(self, file: Path) -> None:
        self.file = File(file, TABLES, fault.TABLES, store.TABLES)
        self._open = self.file.open

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

    def members(self, audience: str, start: int, limit: int) -> list[str]:
        """Keys of an audience's members, a page of them."""
        with self._open() as connection:
            found = connection.execute(
                "select member_key from members where audience = ? order by 1 limit ? offset ?",
                [audience, limit, start],
            )
            return [key for (key,) in found]

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
            for (table,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
                connection.execute(f"delete from {table}")

    def plant(self, wish: Mapping[str, Any]) -> None:
        """Fail requests to come, after the faults planted before; raises BadFault."""
        with self._open() as connection:
            fault.plant(connection, wish)

    def next_fault(self, vendor: str, path: str) -> fault.Fault | None:
        with self._open() as connection:
            return fault.next_fault(connection, vendor, path)

    def faults(self) -> list[dict[str, Any]]:
        with self._open() as connection:
            return fault.planted(connection)

    def record(self, vendor: str, method: str, path: str, size: int) -> int:
        """Write a request down before it is served; its number."""
        with self._open() as connection:
            connection.execute("begin immediate")
            noted = connection.execute(
                "insert into requests (received_at, vendor, method, path, bytes) values (?, ?, ?, ?, ?)",
                [now().isoformat(), vendor, method, path, size],
            )
            connection.execute("delete from requests where request_id <= ?", [(noted.lastrowid or 0) - LONGEST_LOG])
        return noted.lastrowid or 0

    def answered(self, request_id: int, status: int | None, action: str) -> None:
        """Note what became of a request; no status: it got no answer."""
        with self._open() as connection:
            connection.execute(
                "update requests set status = ?, fault = ? where request_id = ?", [status, action, request_id]
            )

    def log(self, vendor: str = "") -> list[dict[str, Any]]:
        """Requests in their order, without their bodies."""
        with self._open() as connection:
            found = connection.execute("select * from requests where ? in ('', vendor) order by request_id", [vendor])
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found]


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
