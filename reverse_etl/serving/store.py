"""Where profiles are looked up: a published snapshot, or the warehouse itself."""

import json
import sqlite3
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from reverse_etl.serving.document import ONE, PARAMETERS, documents_sql
from reverse_etl.serving.identifier import Asked
from reverse_etl.warehouse import Warehouse

Document = Mapping[str, Any]
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
        known = {
            "email" if kind == "email_sha256" else kind: profile_id
            for kind, profile_id in warehouse.execute(
                "select identifier_type, profile_id from identity.profile_identifiers as identifiers "
                f"where not is_shared and substr({_digest()}, 1, 32) = ?",
                [asked.digest.hex()],
            )
        }
        if "profile_id" in asked.types and not known:
            known |= self._by_profile(warehouse, asked)
        kind = next((kind for kind in asked.types if kind in known), None)
        if kind is None:
            return None
        documents = warehouse.execute(self._sql, [known[kind]] * PARAMETERS)
        return Found(json.loads(documents[0][1]), kind) if documents else None

    def published_at(self) -> datetime | None:
        return None

    def _by_profile(self, warehouse: Warehouse, asked: Asked) -> dict[str, str]:
        found = warehouse.execute(
            f"select current_profile_id from identity.profile_redirects where substr({_sha('profile_id')}, 1, 32) = ?",
            [asked.digest.hex()],
        )
        return {"profile_id": found[0][0]} if found else {}


def _digest() -> str:
    return f"case when identifier_type = 'email_sha256' then identifier_value else {_sha('identifier_value')} end"


def _sha(column: str) -> str:
    return f"sha256({column})"
