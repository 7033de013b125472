"""Publishing: every profile's document in one small file, found by the digest of any of its identifiers.

A new file replaces the old one in one step; `publish_changes` brings single profiles up to date in between. The file
holds personal data: its owner alone may read it. Identifiers are in it as digests, documents are packed.
"""

import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from reverse_etl.environment import home
from reverse_etl.serving.document import IDENTIFIERS, NAMES, ONE, PARAMETERS, PART, documents_sql
from reverse_etl.serving.identifier import KEPT, digest_of
from reverse_etl.warehouse import Row, Warehouse

AT_ONCE = 20_000
SCRATCH = "_serving_rows"  # a temporary table
TABLES = """
create table profiles (profile_key integer primary key, profile_id text not null, document blob not null);
create table identifiers (digest blob not null, type text not null, profile_key integer not null,
    primary key (digest, type)) without rowid;
create table publications (published_at text not null, kind text not null, profiles integer not null);
"""
INDEXES = """
create unique index profiles_id on profiles (profile_id);
create index identifiers_profile on identifiers (profile_key);
"""


def default_path() -> Path:
    """Name the file of this installation."""
    return home() / "serving" / "profiles.sqlite"


def publish(warehouse: Warehouse, path: Path, now: datetime) -> int:
    """Write all profiles to a new file and put it where the old one was; how many there are."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    try:
        with closing(sqlite3.connect(new, isolation_level=None)) as file:
            count = _write_all(warehouse, file, now)
        for left in (f"{path}-wal", f"{path}-shm"):
            Path(left).unlink(missing_ok=True)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return count


def _write_all(warehouse: Warehouse, file: sqlite3.Connection, now: datetime) -> int:
    file.executescript("pragma journal_mode = off; pragma synchronous = off; pragma page_size = 8192;" + TABLES)
    file.execute("begin")
    keys: dict[str, int] = {}
    sql = documents_sql(warehouse, PART)
    for (part,) in warehouse.execute("select distinct right(profile_id, 1) from profiles.profiles order by 1"):
        for rows in _pages(warehouse, sql, [part] * PARAMETERS):
            numbered = [(len(keys) + place, row[0], _packed(row[1])) for place, row in enumerate(rows, 1)]
            keys |= {profile_id: key for key, profile_id, _ in numbered}
            file.executemany("insert into profiles values (?, ?, ?)", numbered)
    for rows in _pages(warehouse, IDENTIFIERS):
        file.executemany("insert or ignore into identifiers values (?, ?, ?)", _digests(rows, keys))
    file.execute("insert into publications values (?, 'all', ?)", (now.isoformat(), len(keys)))
    file.execute("commit")
    file.executescript(INDEXES + "pragma synchronous = full; pragma journal_mode = wal; pragma optimize;")
    return len(keys)


def _digests(rows: Iterable[Row], keys: dict[str, int]) -> Iterator[tuple[bytes, str, int]]:
    for profile_id, kind, value in rows:
        if (key := keys.get(profile_id)) is not None:
            yield _digest(kind, value), NAMES.get(str(kind), str(kind)), key


def _digest(kind: str, value: str) -> bytes:
    return bytes.fromhex(value)[:KEPT] if kind == "email_sha256" else digest_of(value)


def _packed(document: str) -> bytes:
    return zlib.compress(document.encode(), 1)


def _pages(warehouse: Warehouse, sql: str, parameters: Sequence[object] = ()) -> Iterator[list[Row]]:
    """Read a large result in parts: one query, and pages of it by number."""
    warehouse.execute(f"drop table if exists {SCRATCH}")
    warehouse.execute(
        f"create temporary table {SCRATCH} as select row_number() over () as place, found.* from ({sql}) as found",
        parameters,
    )
    if warehouse.is_row_store:
        warehouse.execute(f"create index on {SCRATCH} (place)")
    first = 1
    while rows := warehouse.execute(
        f"select * from {SCRATCH} where place between ? and ? order by place", [first, first + AT_ONCE - 1]
    ):
        yield [row[1:] for row in rows]
        first += AT_ONCE
    warehouse.execute(f"drop table {SCRATCH}")


def publish_changes(warehouse: Warehouse, path: Path, profile_ids: Sequence[str], now: datetime) -> int:
    """Bring these profiles up to date in the file: changed, new, or gone. Readers go on meanwhile."""
    sql = documents_sql(warehouse, ONE)
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as file:
        file.execute("begin immediate")
        for profile_id in profile_ids:
            _replace(file, profile_id, warehouse.execute(sql, [profile_id] * PARAMETERS))
        for rows in _chunks(profile_ids):
            _replace_identifiers(warehouse, file, rows)
        file.execute("insert into publications values (?, 'changes', ?)", (now.isoformat(), len(profile_ids)))
        file.execute("commit")
    return len(profile_ids)


def _chunks(values: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(values)
    while part := list(islice(rest, 500)):
        yield part


def _replace(file: sqlite3.Connection, profile_id: str, documents: list[Row]) -> None:
    if not documents:
        gone = "(select profile_key from profiles where profile_id = ?)"
        file.execute(f"delete from identifiers where profile_key in {gone}", (profile_id,))
        file.execute("delete from profiles where profile_id = ?", (profile_id,))
        return
    file.execute(
        "insert into profiles (profile_id, document) values (?, ?) "
        "on conflict (profile_id) do update set document = excluded.document",
        (profile_id, _packed(documents[0][1])),
    )


def _replace_identifiers(warehouse: Warehouse, file: sqlite3.Connection, profile_ids: list[str]) -> None:
    places = ", ".join("?" for _ in profile_ids)
    found = warehouse.execute(
        f"select * from ({IDENTIFIERS}) as identifiers where profile_id in ({places})", list(profile_ids)
    )
    keys: dict[str, Any] = dict(
        file.execute(f"select profile_id, profile_key from profiles where profile_id in ({places})", profile_ids)
    )
    file.executemany("delete from identifiers where profile_key = ?", [(key,) for key in keys.values()])
    file.executemany("insert or replace into identifiers values (?, ?, ?)", _digests(found, keys))
