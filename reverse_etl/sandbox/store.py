"""The sandbox's file, which several processes may open, and the vendors' documents in it."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TABLES = """
create table if not exists documents (
    vendor text, kind text, key text, document text not null, primary key (vendor, kind, key)
) without rowid;
"""


class File:
    """A SQLite file readable by its owner only: members are people."""

    def __init__(self, path: Path, *tables: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        self._path = path
        self._idle: list[sqlite3.Connection] | None = None  # None: none are kept
        with self.open() as connection:
            connection.execute("pragma journal_mode = wal")
            connection.executescript(f"begin;{''.join(tables)}commit;")

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection for one block: commit at its end, roll back on any exception."""
        connection = self._lent()
        try:
            with connection:
                yield connection
        finally:
            self._given_back(connection)

    def keep(self) -> None:
        """Keep connections for the next block: to open one takes as long as a small request."""
        self._idle = []
        with self.open() as connection:
            connection.execute("select count(*) from sqlite_master").fetchone()  # not open before it is asked

    def close(self) -> None:
        """Close what is kept; whoever closes the last connection writes the whole log back."""
        idle, self._idle = self._idle or [], None
        for connection in idle:
            connection.close()

    def _lent(self) -> sqlite3.Connection:
        try:
            return self._idle.pop() if self._idle else self._new()
        except IndexError:  # another thread was faster
            return self._new()

    def _new(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False)
        connection.execute("pragma synchronous = normal")  # whoever is killed loses nothing, a power cut may
        return connection

    def _given_back(self, connection: sqlite3.Connection) -> None:
        if self._idle is None:
            connection.close()
        else:
            self._idle.append(connection)

    @contextmanager
    def store(self, vendor: str) -> Iterator["Store"]:
        """One vendor's documents, for one transaction."""
        with self.open() as connection:
            connection.execute("begin immediate")
            yield Store(connection, vendor)

    def documents(self, vendor: str = "", kind: str = "") -> dict[str, dict[str, dict[str, Any]]]:
        """Vendor → kind → key → document: all of them, or of one vendor, or of one kind."""
        found: dict[str, dict[str, dict[str, Any]]] = {}
        with self.open() as connection:
            for name, its, key, document in connection.execute(
                "select * from documents where ? in ('', vendor) and ? in ('', kind) order by 1, 2, 3", [vendor, kind]
            ):
                found.setdefault(name, {}).setdefault(its, {})[key] = json.loads(document)
        return found

    def counts(self, shown: int = 3) -> list[tuple[str, str, int, list[str]]]:
        """Vendor, kind, how many documents, and the keys of the first few."""
        with self.open() as connection:
            counted = connection.execute(
                "select vendor, kind, count(*) from documents group by vendor, kind order by 1, 2"
            ).fetchall()
            first = "select key from documents where vendor = ? and kind = ? order by key limit ?"
            return [
                (vendor, kind, count, [key for (key,) in connection.execute(first, [vendor, kind, shown])])
                for vendor, kind, count in counted
            ]


@dataclass(frozen=True, slots=True)
class Store:
    """Named JSON documents of one vendor. Those of several at once are for batches: one statement each."""

    _connection: sqlite3.Connection
    _vendor: str

    def get(self, kind: str, key: str) -> Any:
        """Give the document, None when there is none."""
        return self.some(kind, [key]).get(key)

    def put(self, kind: str, key: str, document: Any) -> None:
        self.put_all(kind, {key: document})

    def drop(self, kind: str, key: str) -> bool:
        """Forget a document; whether there was one."""
        return self.drop_all(kind, [key]) > 0

    def all(self, kind: str) -> dict[str, Any]:
        """Every document of a kind, by key."""
        found = self._connection.execute(
            "select key, document from documents where vendor = ? and kind = ? order by key", [self._vendor, kind]
        )
        return {key: json.loads(document) for key, document in found}

    def count(self, kind: str) -> int:
        found = self._connection.execute(
            "select count(*) from documents where vendor = ? and kind = ?", [self._vendor, kind]
        )
        return int(found.fetchone()[0])

    def kinds(self, prefix: str = "") -> list[str]:
        """Kinds there are documents of."""
        found = self._connection.execute(
            "select distinct kind from documents where vendor = ? and substr(kind, 1, ?) = ? order by kind",
            [self._vendor, len(prefix), prefix],
        )
        return [kind for (kind,) in found]

    def some(self, kind: str, keys: Iterable[str]) -> dict[str, Any]:
        """Those of the named documents that are there."""
        found = self._connection.execute(
            "select key, document from documents "
            "where vendor = ? and kind = ? and key in (select value from json_each(?))",
            [self._vendor, kind, json.dumps(list(keys))],
        )
        return {key: json.loads(document) for key, document in found}

    def put_all(self, kind: str, documents: Mapping[str, Any]) -> None:
        self._connection.executemany(
            "insert or replace into documents values (?, ?, ?, ?)",
            [(self._vendor, kind, key, json.dumps(document)) for key, document in documents.items()],
        )

    def drop_all(self, kind: str, keys: Iterable[str] | None = None) -> int:
        """Forget the named documents, or the whole kind; how many there were."""
        named = "" if keys is None else " and key in (select value from json_each(?))"
        values = [self._vendor, kind] + ([] if keys is None else [json.dumps(list(keys))])
        return self._connection.execute(f"delete from documents where vendor = ? and kind = ?{named}", values).rowcount
