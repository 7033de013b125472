"""The owner: the process that has the DuckDB file, with the loop, the socket and the snapshot as its threads."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from subprocess import CalledProcessError
from typing import Any

import duckdb

from dagster_cdp import dbt
from dagster_cdp.home import make_home
from dagster_cdp.live.cycle import CycleReport, prepare_books, tune
from dagster_cdp.live.gate import NotHot, require_hot
from dagster_cdp.live.jobs import Jobs
from dagster_cdp.live.loop import Loop
from dagster_cdp.live.plan import make_plan, refuse_unbuilt
from dagster_cdp.live.reporting import Reporter
from dagster_cdp.live.sending import Decisions, Dispatcher, prepare
from dagster_cdp.live.service import Answer, Service
from dagster_cdp.live.snapshot import publish
from dagster_cdp.live.views import renew_views
from dagster_cdp.warehouse import turn
from reverse_etl.remote import own
from reverse_etl.warehouse import open_file
from sources.configuration import Configuration, read_configuration
from sources.source import all_sources
from sources.tail import Tail

log = logging.getLogger(__name__)

WAIT = 60.0  # seconds for whoever has the file now


class Owner:
    """One owner of one DuckDB file; a second one waits for the first and then gives up."""

    def __init__(self, ready: Callable[[], None] = lambda: None, snapshot_every: float = 0.0) -> None:
        self.configuration: Configuration = read_configuration()
        self.started_at = time.time()
        self._decisions = Decisions()
        self._ready = ready
        self.snapshot_every = snapshot_every  # seconds; 0 is only when asked
        self._ended = threading.Event()
        self._fault: BaseException | None = None

    def run(self) -> None:
        """Own the file until told to stop. Raises NotHot or WarehouseUnavailable for none, or what ended the loop."""
        if self.configuration.target != "duckdb":
            raise NotHot("`cdp live` owns a DuckDB file: start it with CDP_TARGET=duckdb")
        with ExitStack() as stack:
            stack.enter_context(turn("cdp live", WAIT))  # the operating system lets go of it if this process dies
            self._open(stack)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self.stop())
            self._ready()
            self._ended.wait()
            self.loop.stop()
            self._thread.join()
        if self._fault:
            raise self._fault

    def stop(self) -> None:
        self._ended.set()

    def _open(self, stack: ExitStack) -> None:
        file = self.configuration.warehouse
        own(file, is_owned=True)
        stack.callback(own, file, is_owned=False)
        self.connection = stack.enter_context(open_file(file))
        tune(self.connection)
        cursor = self._cursor()
        refuse_unbuilt(require_hot(dbt.manifest()), cursor)
        tail = Tail(self.configuration, all_sources())
        tail.open(cursor)
        prepare_books(cursor)
        prepare(cursor, self._decisions.triggers)
        renew_views(cursor)
        self.dispatcher = Dispatcher(self._decisions.triggers)
        self.loop = Loop(tail, cursor, make_plan, [self._decisions], after=self._after)
        self.loop.once(even_without_news=True)  # warm, and whatever an unowned time left over is taken up
        self._thread = threading.Thread(target=self._loop, name="hot loop")
        self._thread.start()
        self.dispatcher.start()
        stack.callback(self.dispatcher.stop)
        stack.callback(self.loop.stop)
        answers: dict[str, Answer] = {**Jobs(self.loop, self._decisions.look_at_all).answers(), **self._answers()}
        self.service = Service(file, self.connection, answers)
        stack.callback(self.service.close)
        make_home()
        self.reporter = Reporter(self.status)
        self.reporter.start()
        stack.callback(self.reporter.stop)
        threading.Thread(target=self._publish, name="snapshots", daemon=True).start()

    def _after(self, report: CycleReport) -> None:
        self._decisions.after(report)
        self.dispatcher.after(report)

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self.connection.cursor()
        cursor.execute("set TimeZone = 'UTC'")
        cursor.execute("set preserve_insertion_order = false")
        return cursor

    def _loop(self) -> None:
        try:
            self.loop.run()
        except BaseException as fault:  # noqa: BLE001 - it ends the process, and is raised there
            self._fault = fault
            self._ended.set()

    def _answers(self) -> dict[str, Answer]:
        return {
            "status": lambda _: self.status(),
            "pause": lambda _: self.loop.pause(),
            "resume": lambda _: self.loop.resume(),
            "snapshot": lambda _: self.snapshot(),
        }

    def status(self) -> dict[str, Any]:
        """How far behind the log the warehouse is, and what the last cycles took."""
        reports = list(self.loop.reports)
        last = reports[-1] if reports else None
        holder = self.service.place.holder
        return {
            "pid": os.getpid(),
            "up_seconds": round(time.time() - self.started_at, 1),
            "paused": self.loop.is_paused,
            "lag_bytes": self.loop.tail.lag_bytes(),
            "cycles": self.loop.count,
            "lines": self.loop.line_count,
            "last_cycle_at": last.began_at.isoformat(timespec="milliseconds") if last else None,
            "last_cycle_seconds": round(last.seconds, 3) if last else None,
            "model_seconds": {name: round(value, 3) for name, value in last.model_seconds.items()} if last else {},
            "batch": str(holder) if holder else None,
        }

    def _publish(self) -> None:
        while self.snapshot_every and not self._ended.wait(self.snapshot_every):
            try:
                self.snapshot()
            except (OSError, duckdb.Error, CalledProcessError) as fault:
                log.warning("no snapshot: %s", type(fault).__name__)

    def snapshot(self) -> str:
        """Publish a copy of the file for analysts, in one step; cycles wait while it is copied."""
        return publish(self._cursor(), self.configuration.warehouse, self.loop.turn)
