"""The owner's socket: SQL sessions, the one place for batches, and jobs, for every process that wants the warehouse."""

import logging
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any

import duckdb

from dagster_cdp.patience import Holder
from reverse_etl.remote import OwnerRefused, address_of
from reverse_etl.warehouse import DuckDBWarehouse

log = logging.getLogger(__name__)

Tell = Callable[[object], None]
Answer = Callable[..., object]  # (tell, *arguments)


class Place:
    """The one place for batches: a build, a load or a gate at a time."""

    def __init__(self) -> None:
        self._free = threading.Lock()
        self.holder: Holder | None = None

    def ask(self, pid: int, purpose: str) -> Holder | None:
        """Take it, or be told who has it."""
        if self._free.acquire(blocking=False):
            self.holder = Holder(pid, purpose, Holder.me(purpose).since)
            return None
        return self.holder or Holder.me("a batch")

    def leave(self) -> None:
        self.holder = None
        self._free.release()


class Service:
    """Listens until closed; each session is a thread with a connection of its own."""

    def __init__(self, warehouse: Path, connection: duckdb.DuckDBPyConnection, answers: Mapping[str, Answer]) -> None:
        self.place = Place()
        self._answers = answers
        self._connection = connection
        self._address = address_of(warehouse)
        Path(self._address).unlink(missing_ok=True)
        before = os.umask(0o177)  # whoever can open it can run any SQL
        try:
            self._listener = Listener(self._address, "AF_UNIX", backlog=64)
        finally:
            os.umask(before)
        threading.Thread(target=self._listen, name="owner's socket", daemon=True).start()

    def close(self) -> None:
        Path(self._address).unlink(missing_ok=True)
        with suppress(OSError):
            self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                line = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(line,), name="session", daemon=True).start()

    def _serve(self, line: Connection) -> None:
        try:
            session = _Session(line, self._connection, self.place, self._answers)
        except duckdb.ConnectionException:  # the owner is ending: whoever asks is told by the end of the line
            line.close()
            return
        try:
            while True:
                session.answer(*line.recv())
        except (EOFError, OSError):
            pass
        finally:
            session.end()


class _Session:
    def __init__(
        self,
        line: Connection,
        connection: duckdb.DuckDBPyConnection,
        place: Place,
        answers: Mapping[str, Answer],
    ) -> None:
        self._line = line
        self._cursor = connection.cursor()
        self._cursor.execute("set TimeZone = 'UTC'")
        self._warehouse = DuckDBWarehouse(self._cursor)
        self._place = place
        self._has_place = False
        own: dict[str, Answer] = {"execute": self._execute, "insert": self._insert, "turn": self._turn}
        self._answers = {**answers, **own}

    def answer(self, word: str, arguments: tuple[Any, ...]) -> None:
        """Do what was asked and send what came of it, or why it failed."""
        try:
            result = self._answers[word](self._tell, *arguments)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the asker's
            self._fail(error)
        else:
            self._line.send(("done", result))

    def _fail(self, error: Exception) -> None:
        try:
            self._line.send(("failed", error))
        except (TypeError, AttributeError, ValueError):  # it can't be sent as it is
            self._line.send(("failed", OwnerRefused(f"{type(error).__name__}: {error}")))

    def _tell(self, message: object) -> None:
        self._line.send(("told", message))

    def _execute(self, _: Tell, sql: str, parameters: list[object]) -> list[tuple[Any, ...]]:
        return self._warehouse.execute(sql, parameters)

    def _insert(self, _: Tell, table: str, columns: list[str], rows: list[list[object]]) -> None:
        self._warehouse.insert(table, columns, rows)

    def _turn(self, _: Tell, pid: int, purpose: str) -> dict[str, Any] | None:
        holder = self._place.ask(pid, purpose)
        self._has_place = holder is None
        return asdict(holder) if holder else None

    def end(self) -> None:
        """Roll back what was not committed and make the place free."""
        if self._has_place:
            self._place.leave()
        with suppress(duckdb.Error):
            self._cursor.execute("rollback")
        self._cursor.close()
        with suppress(OSError):
            self._line.close()
