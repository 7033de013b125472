"""Where profiles are looked up: a published snapshot, or the warehouse itself."""

import json
import sqlite3
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from reverse_etl.serving.document import NAMES, ONE, PARAMETERS, documents_sql
from reverse_etl.serving.identifier import Asked
from reverse_etl.warehouse import Warehouse

Document = Mapping[str, Any]
_BY_VALUE = "identifier_value = ? and identifier_type <> 'email_sha256'"
_BY_HASH = (
    "((identifier_type = 'email_sha256' and identifier_value = ?) "
    "or (identifier_type not in ('email', 'email_sha256') and {sha256} = ?))"
)
_PROFILES = (
    "select profile_id from profiles.profiles where {column} = ?",
    "select current_profile_id from identity.profile_redirects where {column} = ?",
)
CACHE_KB = 32_000  # of the file's pages in memory, besides what the system keeps


class Unavailable(RuntimeError):
    """There is nothing to look into; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Found:
    document: Document
    found_by: str  # the type of the identifier


class Store(Protocol):
    """A way to find a profile."""

    def find(self, asked: Asked) -> Found | None: ...

    def published_at(self) -> datetime | None:
        """When what is served was true; None: now."""
        ...


class SnapshotStore:
    """The file that `publish` writes. It is opened again when another was published. One per thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    def find(self, asked: Asked) -> Found | None:
        """Give the profile that the strongest of the asked types belongs to."""
        rows = self._open().execute(
            "select identifiers.type, profiles.document from identifiers "
            "inner join profiles on profiles.profile_key = identifiers.profile_key where identifiers.digest = ?",
            (asked.digest,),
        )
        known = dict(rows.fetchall())
        for kind in asked.types:
            if kind in known:
                return Found(json.loads(zlib.decompress(known[kind])), kind)
        return None

    def published_at(self) -> datetime | None:
        [(at,)] = self._open().execute("select published_at from publications order by published_at desc limit 1")
        return datetime.fromisoformat(at)

    def _open(self) -> sqlite3.Connection:
        try:
            inode = self._path.stat().st_ino
        except FileNotFoundError as error:
            raise Unavailable("nothing is published: run `cdp serve --publish`") from error
        if self._connection is None or inode != self._inode:
            if self._connection is not None:
                self._connection.close()
            # Not `immutable`: changes are written into it while it is read.
            self._connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, check_same_thread=False)
            self._connection.execute(f"pragma cache_size = -{CACHE_KB}")
            self._connection.execute("pragma mmap_size = 4294967296")
            self._inode = inode
        return self._connection


class WarehouseStore:
    """The warehouse as it is now, for who owns its connection: `cursor` gives one for this thread."""

    def __init__(self, cursor: Callable[[], Warehouse]) -> None:
        self._cursor = cursor
        self._sql = ""

    def find(self, asked: Asked) -> Found | None:
        warehouse = self._cursor()
        self._sql = self._sql or documents_sql(warehouse, ONE)
        # A hash of an address is kept as such; of anything else it has to be made of every value, which is slow.
        by_hash = _BY_HASH.format(sha256=_sha256(warehouse, "identifier_value"))
        found = warehouse.execute(
            "select identifier_type, profile_id from identity.profile_identifiers where not is_shared and "
            + (by_hash if asked.is_hash else _BY_VALUE),
            [asked.value] * (2 if asked.is_hash else 1),
        )
        known = {NAMES.get(str(kind), str(kind)): str(profile_id) for kind, profile_id in found}
        if not known and "profile_id" in asked.types:
            known = self._by_profile(warehouse, asked)
        kind = next((kind for kind in asked.types if kind in known), None)
        if kind is None:
            return None
        documents = warehouse.execute(self._sql, [known[kind]] * PARAMETERS)
        return Found(json.loads(documents[0][1]), kind) if documents else None

    def published_at(self) -> datetime | None:
        return None

    def _by_profile(self, warehouse: Warehouse, asked: Asked) -> dict[str, str]:
        column = _sha256(warehouse, "profile_id") if asked.is_hash else "profile_id"
        for query in _PROFILES:
            if found := warehouse.execute(query.format(column=column), [asked.value]):
                return {"profile_id": found[0][0]}
        return {}


def _sha256(warehouse: Warehouse, column: str) -> str:
    return f"encode(sha256(cast({column} as bytea)), 'hex')" if warehouse.is_row_store else f"sha256({column})"
