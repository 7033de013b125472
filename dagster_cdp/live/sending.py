"""What leaves by itself: triggers decide in each cycle; their messages and the syncs of hot audiences follow it."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from dagster_cdp.live.cycle import CycleReport
from reverse_etl.desired import PlanRefused
from reverse_etl.destination import DestinationRefused
from reverse_etl.lease import SyncBusy
from reverse_etl.run import SyncHeld, run_sync
from reverse_etl.sync import BadDeclaration, Sync, all_syncs
from reverse_etl.triggers.decide import decide_due
from reverse_etl.triggers.dispatch import dispatch
from reverse_etl.triggers.occasions import open_triggers
from reverse_etl.triggers.tables import open_tables
from reverse_etl.triggers.trigger import Trigger, all_triggers
from reverse_etl.warehouse import SharedWarehouse, Warehouse, open_warehouse
from sources.configuration import read_configuration

log = logging.getLogger(__name__)

THOROUGH = 60.0  # seconds between two looks at all that could still matter
EXPECTED = (SyncHeld, SyncBusy, PlanRefused, BadDeclaration, DestinationRefused)  # a person must act; others go on


@dataclass
class Decisions:
    """The part of a cycle that asks the triggers: what fired and what is due, as rows of the outbox."""

    triggers: Sequence[Trigger] = field(default_factory=all_triggers)
    thorough_at: float = 0.0

    def __call__(self, connection: duckdb.DuckDBPyConnection, _: datetime) -> None:
        if not self.triggers:
            return
        warehouse, now = SharedWarehouse(connection), read_configuration().clock()
        is_thorough = time.monotonic() - self.thorough_at >= THOROUGH
        enabled = [trigger for trigger in self.triggers if trigger.enabled]
        open_triggers(warehouse, enabled, now, is_thorough=is_thorough)
        decide_due(warehouse, self.triggers, now)
        self.thorough_at = time.monotonic() if is_thorough else self.thorough_at


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of triggers, outside of any cycle."""
    open_tables(SharedWarehouse(connection))


class Dispatcher:
    """A thread that sends after cycles: the outbox, and the syncs whose audience the cycle wrote to."""

    def __init__(
        self,
        triggers: Sequence[Trigger],
        syncs: Sequence[Sync] | None = None,
        open_: Callable[[], Warehouse] = open_warehouse,
    ) -> None:
        self._triggers = triggers
        self._syncs = list(all_syncs() if syncs is None else syncs)
        self._open = open_
        self._news = threading.Event()
        self._stop = threading.Event()
        self._due: set[str] = set()
        self._said: dict[str, str] = {}  # what is in the way of each, so that it isn't said in every cycle
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="dispatcher")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after what is being sent."""
        self._stop.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join()

    def after(self, report: CycleReport) -> None:
        """Note what a cycle wrote; consents reach every sync, because a withdrawal leaves every audience."""
        written = {name.rsplit(".", 1)[-1] for name in report.changed}
        due = {sync.name for sync in self._syncs if "consents" in written or sync.audience in written}
        with self._lock:
            self._due |= due
        self._news.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._news.wait(timeout=1.0)
            self._news.clear()
            with self._lock:
                due, self._due = self._due, set()
            for sync in self._syncs:
                if sync.name in due and not self._stop.is_set():
                    self._deliver(sync)
            if self._triggers and not self._stop.is_set():
                self._guarded("the outbox", lambda: dispatch(self._open, self._triggers))

    def _deliver(self, sync: Sync) -> None:
        def deliver() -> None:
            warehouse = self._open()
            try:
                run_sync(warehouse, sync)
            finally:
                warehouse.close()

        self._guarded(sync.name, deliver)

    def _guarded(self, what: str, send: Callable[[], object]) -> None:
        """One that is held, or fails, never stops the others; what it didn't send is sent by the next run."""
        try:
            send()
        except EXPECTED as held:
            self._say(what, str(held), log.warning)
        except Exception as fault:  # noqa: BLE001 - as above; the text of an error may quote a row
            self._say(what, type(fault).__name__, log.error)
        else:
            self._said.pop(what, None)

    def _say(self, what: str, why: str, say: Callable[..., None]) -> None:
        if self._said.get(what) != why:
            self._said[what] = why
            say("%s: %s", what, why)
