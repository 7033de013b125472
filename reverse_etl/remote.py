"""The warehouse through the process that owns its file: the same SQL, sent over a socket that only this user can open.

While an owner is alive nobody else can open the DuckDB file. Each session has a connection of its own there, so a
transaction is as private as it is in a file; should either side die, it is rolled back.
"""

import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

LONGEST_PATH = 100  # bytes; a socket's address holds 107

_OWNED: set[str] = set()  # files that this very process owns


class OwnerGone(RuntimeError):
    """The owner of the warehouse ended while it was asked; what it had not committed has not happened."""


class OwnerRefused(RuntimeError):
    """The owner could not do what it was asked; the message is its own."""


def address_of(warehouse: Path) -> str:
    """Where the owner of a file listens: beside it, or where temporary files are if that name is too long."""
    beside = f"{warehouse}.sock"
    if len(beside.encode()) <= LONGEST_PATH:
        return beside
    name = hashlib.sha256(str(warehouse).encode()).hexdigest()[:16]
    return str(Path(tempfile.gettempdir()) / f"cdp-{os.getuid()}-{name}.sock")


def own(warehouse: Path, *, is_owned: bool) -> None:
    """Note that this process owns a file, or no longer does."""
    (_OWNED.add if is_owned else _OWNED.discard)(str(warehouse))


def is_ours(warehouse: Path) -> bool:
    """Whether this process owns the file, so that it opens it like anybody did before."""
    return str(warehouse) in _OWNED


def session_with_owner(warehouse: Path) -> "Session | None":
    """A session with the owner of this file; None when nobody owns it, or this process does."""
    address = Path(address_of(warehouse))
    try:
        # Answers are unpickled, so a socket that another user laid where temporary files are is not asked.
        if is_ours(warehouse) or not address.exists() or address.stat().st_uid != os.getuid():
            return None
        return Session(Client(str(address), "AF_UNIX"))
    except (OSError, EOFError):
        return None  # left behind by an owner that was killed


def has_owner(warehouse: Path) -> bool:
    """Whether another process owns the file now."""
    if session := session_with_owner(warehouse):
        session.close()
    return session is not None


class Session:
    """One conversation: ask, and get an answer; what is told in between goes to `hear`."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self._one = threading.RLock()

    def ask(self, word: str, *arguments: object, hear: Callable[[Any], None] = lambda _: None) -> Any:
        """Raise what the owner raised, or `OwnerGone`."""
        with self._one:
            try:
                self._line.send((word, arguments))
                while (answer := self._line.recv())[0] == "told":
                    hear(answer[1])
            except (EOFError, OSError) as error:
                raise OwnerGone("the owner of the warehouse has ended; run this again") from error
        if answer[0] == "failed":
            raise answer[1]
        return answer[1]

    def close(self) -> None:
        with suppress(OSError):
            self._line.close()


class RemoteWarehouse:
    """A warehouse whose statements run in the owner, on a connection of this session's own."""

    is_row_store = False

    def __init__(self, session: Session) -> None:
        self._session = session

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._session.ask("execute", sql, list(parameters))
        return rows

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        self._session.ask("insert", table, list(columns), [list(row) for row in rows])

    def transaction(self) -> AbstractContextManager[None]:
        from reverse_etl.warehouse import transaction_of  # noqa: PLC0415 - it opens warehouses through this file

        return transaction_of(self)

    def close(self) -> None:
        self._session.close()
