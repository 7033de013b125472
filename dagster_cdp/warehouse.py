"""Taking turns on the warehouse: who needs it waits, bounded, and is told who holds it.

DuckDB lets one process write its file; on a server two builds at once would clash. The operating
system (or the server) drops the lock of a process that dies, so nothing is ever cleaned up by hand.
"""

import fcntl
import json
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from dagster_cdp.file_locks import may_be_locked_elsewhere
from dagster_cdp.patience import Holder, Patience
from reverse_etl.remote import OwnerGone, Session, has_owner, is_ours, session_with_owner
from reverse_etl.warehouse import Warehouse, open_file, open_warehouse
from sources.configuration import Configuration, read_configuration

log = logging.getLogger(__name__)

LONGEST_WAIT = 600.0  # seconds
ADVISORY_KEY = (0xCD9, 1)  # any pair that no other program uses in this database


@dataclass
class _Seat:
    """The place of one process at one warehouse: one thread has it, as often as it likes."""

    free: threading.Lock = field(default_factory=threading.Lock)
    thread: int | None = None
    holder: Holder | None = None

    def ask(self, purpose: str) -> Holder | None:
        if self.free.acquire(blocking=False):
            self.thread, self.holder = threading.get_ident(), Holder.me(purpose)
            return None
        return self.holder or Holder.me("another thread")

    def leave(self) -> None:
        self.thread = self.holder = None
        self.free.release()


_SEATS: dict[tuple[int, str], _Seat] = {}


@contextmanager
def turn(
    purpose: str,
    timeout: float = LONGEST_WAIT,
    *,
    progress: Callable[[str], None] = log.info,
    every: float = 5.0,
) -> Iterator[None]:
    """Have the warehouse to yourself while the block runs; `purpose` is what others are told.

    A block inside a block of the same thread doesn't wait for itself. While it waits it says so to
    `progress` every `every` seconds. Raises `WarehouseBusy` after `timeout` seconds.
    """
    configuration = read_configuration()
    patience = Patience(timeout, every, progress)
    # A forked child has its parent's memory but not its turn, hence the process in the key.
    seat = _SEATS.setdefault((os.getpid(), _place(configuration)), _Seat())
    if seat.thread == threading.get_ident():
        _until_closed_elsewhere(configuration, patience)
        yield
        return
    patience.until_free(lambda: seat.ask(purpose))
    try:
        with _turn_between_processes(configuration, purpose, patience):
            yield
    finally:
        seat.leave()


@contextmanager
def connect(purpose: str = "reading", timeout: float = LONGEST_WAIT) -> Iterator[Warehouse]:
    """Open the warehouse for a short while; a file that nobody owns takes a turn, an owner and a server need none."""
    configuration = read_configuration()
    needs_turn = configuration.target == "duckdb" and not is_owned(configuration)
    with turn(purpose, timeout) if needs_turn else nullcontext(), closing(open_warehouse()) as warehouse:
        yield warehouse


def is_owned(configuration: Configuration) -> bool:
    """Whether a live process, be it this one, owns the DuckDB file."""
    if configuration.target != "duckdb":
        return False
    return is_ours(configuration.warehouse) or has_owner(configuration.warehouse)


def ask_owner(word: str, *arguments: object, hear: Callable[[Any], None] = lambda _: None) -> Any:
    """Let the owner do something and give what it answers. Raises `OwnerGone` without one."""
    session = session_with_owner(read_configuration().warehouse)
    if session is None:
        raise OwnerGone("nobody owns the warehouse now: start `cdp live`")
    with closing(session):
        return session.ask(word, *arguments, hear=hear)


def _place(configuration: Configuration) -> str:
    if configuration.target == "duckdb":
        return str(configuration.warehouse)
    server = configuration.postgres
    return f"{server['host']}:{server['port']}/{server['database']}"


def _turn_between_processes(
    configuration: Configuration, purpose: str, patience: Patience
) -> AbstractContextManager[None]:
    if configuration.target != "duckdb":
        return _locked_server(configuration, purpose, patience)
    if is_ours(configuration.warehouse):
        return nullcontext()
    return _file_or_owner(configuration, purpose, patience)


@contextmanager
def _file_or_owner(configuration: Configuration, purpose: str, patience: Patience) -> Iterator[None]:
    """Have the file, or, while a live process owns it, the one place for batches there."""
    if session := session_with_owner(configuration.warehouse):
        with closing(session):
            patience.until_free(lambda: _ask_owner(session, purpose))
            yield
        return
    with _locked_file(configuration.warehouse, purpose, patience):
        _until_closed_elsewhere(configuration, patience)
        yield


def _ask_owner(session: Session, purpose: str) -> Holder | None:
    held = session.ask("turn", os.getpid(), purpose)
    return Holder(**held) if held else None


@contextmanager
def _locked_file(warehouse: Path, purpose: str, patience: Patience) -> Iterator[None]:
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(f"{warehouse}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        patience.until_free(lambda: _ask_file(descriptor, purpose))
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing alone keeps it while a forked child lives
        os.close(descriptor)


def _ask_file(descriptor: int, purpose: str) -> Holder | None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _named_in(os.pread(descriptor, 4096, 0))
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(asdict(Holder.me(purpose))).encode(), 0)
    return None


def _named_in(card: bytes) -> Holder:
    """Read the holder's card; it may be half written at this moment."""
    try:
        return Holder(**json.loads(card))
    except (ValueError, TypeError):
        return Holder(None, "just starting", time.time())


def _until_closed_elsewhere(configuration: Configuration, patience: Patience) -> None:
    """Wait while a shell's dbt or a notebook, which know nothing of turns, has the file open."""
    is_file = configuration.target == "duckdb" and configuration.warehouse.exists()
    if is_file and not is_ours(configuration.warehouse) and not has_owner(configuration.warehouse):
        began = time.time()
        patience.until_free(lambda: _ask_duckdb(configuration.warehouse, began))


def _ask_duckdb(warehouse: Path, began: float) -> Holder | None:
    if not may_be_locked_elsewhere(warehouse):
        return None
    try:
        open_file(warehouse).close()
    except duckdb.ConnectionException:
        return None  # open in this process, with other settings
    except duckdb.IOException as error:
        found = re.search(r"held in (\S+) \(PID (\d+)\)", str(error))
        program, pid = (Path(found[1]).name, int(found[2])) if found else ("a program", None)
        return Holder(pid, f"{program}, which has the file open", began)
    return None


@contextmanager
def _locked_server(configuration: Configuration, purpose: str, patience: Patience) -> Iterator[None]:
    session = postgres_session(configuration)
    try:
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute("set idle_session_timeout = 0")
            patience.until_free(lambda: _ask_server(cursor, purpose))
        yield
    finally:
        session.close()


def _ask_server(cursor: Any, purpose: str) -> Holder | None:
    cursor.execute("select pg_try_advisory_lock(%s, %s)", ADVISORY_KEY)
    if cursor.fetchone()[0]:
        # What others read in pg_stat_activity; the server cuts names at 63 bytes.
        cursor.execute("select set_config('application_name', %s, false)", (f"cdp {os.getpid()} {purpose}",))
        return None
    cursor.execute(
        "select application_name, extract(epoch from state_change)"
        " from pg_locks join pg_stat_activity using (pid)"
        " where locktype = 'advisory' and granted and classid = %s and objid = %s and objsubid = 2"
        " and database = (select oid from pg_database where datname = current_database())",
        ADVISORY_KEY,
    )
    name, since = cursor.fetchone() or ("", time.time())
    found = re.fullmatch(r"cdp (\d+) (.*)", name)
    return Holder(int(found[1]) if found else None, found[2] if found else name, float(since))


def postgres_session(configuration: Configuration) -> Any:
    """Open a plain psycopg2 connection to the configured server."""
    import psycopg2  # noqa: PLC0415 - an extra that a DuckDB warehouse does without

    server = configuration.postgres
    named = {"host": "host", "port": "port", "user": "username", "password": "password", "dbname": "database"}
    return psycopg2.connect(**{word: server[name] for word, name in named.items()})
