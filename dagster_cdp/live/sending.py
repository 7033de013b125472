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
from reverse_etl.triggers.contents import check_columns
from reverse_etl.triggers.cycle import look_and_decide
from reverse_etl.triggers.dispatch import dispatch
from reverse_etl.triggers.occasions import Look
from reverse_etl.triggers.tables import open_tables
from reverse_etl.triggers.trigger import Trigger, all_triggers
from reverse_etl.warehouse import SharedWarehouse, Warehouse, open_warehouse
from sources.configuration import read_configuration

log = logging.getLogger(__name__)

# Seconds between two looks at what came in the last minutes, and at all that could still matter: where a thousand
# events a second have come for days, that takes seconds.
RECENT, THOROUGH = 60.0, 3_600.0
# Times as long as a sync took it rests: planning reads its whole audience, and cycles need the machine. One that took
# less than so many seconds rests a third of that.
REST, BRIEF = 9, 0.5
FIRST_WAIT, LONGEST_WAIT = 10.0, 600.0  # seconds until a sync that is not settled is run again
EXPECTED = (SyncHeld, SyncBusy, PlanRefused, BadDeclaration, DestinationRefused)  # a person must act; others go on


@dataclass
class Decisions:
    """The part of a cycle that asks the triggers: what fired and what is due, as rows of the outbox."""

    triggers: Sequence[Trigger] = field(default_factory=all_triggers)
    _looked_at: dict[Look, float] = field(default_factory=dict)  # back that far, by cycles that were committed
    _look: tuple[Look, float] = (Look.NEW, 0.0)  # of the cycle that is open
    _asked_at: float = 0.0  # to look at all

    def __call__(self, connection: duckdb.DuckDBPyConnection, _: datetime) -> None:
        if not self.triggers:
            return
        moment = time.monotonic()
        self._look = (self._due(moment), moment)
        look_and_decide(SharedWarehouse(connection), self.triggers, read_configuration().clock(), self._look[0])

    def look_at_all(self) -> None:
        """A load or a build has brought what did not happen just now."""
        self._asked_at = time.monotonic()

    def after(self, _: CycleReport) -> None:
        """Note how far back a cycle looked, once it is committed."""
        look, moment = self._look
        self._looked_at |= {less: moment for less in Look if less.value <= look.value}

    def _due(self, moment: float) -> Look:
        if self._asked_at > self._looked_at.get(Look.ALL, 0.0):
            return Look.ALL
        for look, every in ((Look.ALL, THOROUGH), (Look.RECENT, RECENT)):
            if moment - self._looked_at.get(look, -every) >= every:
                return look
        return Look.NEW


def prepare(connection: duckdb.DuckDBPyConnection, triggers: Sequence[Trigger]) -> None:
    """Make the tables of triggers, outside of any cycle. Raises BadDeclaration for one that no cycle could ask."""
    warehouse = SharedWarehouse(connection)
    open_tables(warehouse)
    for trigger in triggers:
        if trigger.enabled:
            check_columns(warehouse, trigger)


class Dispatcher:
    """Sends after cycles: the outbox, and the syncs whose audience the cycle wrote to, each by a thread of its own."""

    def __init__(
        self,
        triggers: Sequence[Trigger],
        syncs: Sequence[Sync] | None = None,
        open_: Callable[[], Warehouse] = open_warehouse,
    ) -> None:
        self._triggers = triggers
        self._syncs = list(all_syncs() if syncs is None else syncs)
        self._open = open_
        self._stop = threading.Event()
        self._due = {sync.name for sync in self._syncs}  # what an owner before left unsent is known to the syncs alone
        self._again: dict[str, tuple[float, float]] = {}  # not settled: when it is tried again, and the wait until then
        self._rests: dict[str, float] = {}  # until when
        self._said: dict[str, str] = {}  # what is in the way of each, so that it isn't said in every cycle
        self._refused: set[str] = set()  # of the outbox
        self._lock = threading.Lock()
        works = {"syncs": self._send_syncs, "outbox": self._send_outbox}
        self._news = [threading.Event() for _ in works]
        self._threads = [
            threading.Thread(target=self._run, args=(news, work), name=f"dispatcher of {what}")
            for news, (what, work) in zip(self._news, works.items(), strict=True)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End after what is being sent."""
        self._stop.set()
        self._wake()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def after(self, report: CycleReport) -> None:
        """Note what a cycle wrote; consents reach every sync, because a withdrawal leaves every audience."""
        written = {name.rsplit(".", 1)[-1] for name in report.changed}
        due = {sync.name for sync in self._syncs if "consents" in written or sync.audience in written}
        with self._lock:
            self._due |= due
        self._wake()

    def _wake(self) -> None:
        for news in self._news:
            news.set()

    def _run(self, news: threading.Event, work: Callable[[], None]) -> None:
        while not self._stop.is_set():
            news.wait(timeout=1.0)
            news.clear()
            if not self._stop.is_set():
                work()

    def _send_syncs(self) -> None:
        moment = time.monotonic()
        with self._lock:
            due, self._due = self._due, set()
        due |= {name for name, (at, _) in self._again.items() if at <= moment}
        resting = {name for name in due if self._rests.get(name, 0.0) > moment}
        with self._lock:
            self._due |= resting
        for sync in self._syncs:
            if sync.name in due - resting and not self._stop.is_set():
                began = time.monotonic()
                self._deliver(sync)
                took = time.monotonic() - began
                self._rests[sync.name] = time.monotonic() + took * (REST if took > BRIEF else REST / 3)

    def _deliver(self, sync: Sync) -> None:
        """Run it now; what it could not send, as a removal of who took back their consent, is tried again."""
        left: list[str] = []

        def deliver() -> None:
            warehouse = self._open()
            try:
                left.extend(["partial"] if run_sync(warehouse, sync).state == "partial" else [])
            finally:
                warehouse.close()

        if self._guarded(sync.name, deliver) and not left:
            self._again.pop(sync.name, None)
            return
        _, before = self._again.get(sync.name, (0.0, FIRST_WAIT / 2))
        wait = min(LONGEST_WAIT, 2 * before)
        self._again[sync.name] = (time.monotonic() + wait, wait)

    def _send_outbox(self) -> None:
        def send() -> None:
            refused = dispatch(self._open, self._triggers).refused
            for what in self._refused - refused.keys():
                self._said.pop(what, None)
            for what, why in refused.items():
                self._say(what, why, log.warning)
            self._refused = set(refused)

        if self._triggers:
            self._guarded("the outbox", send)

    def _guarded(self, what: str, send: Callable[[], object]) -> bool:
        """One that is held, or fails, never stops the others; whether another try is of no use."""
        try:
            send()
        except EXPECTED as held:
            self._say(what, str(held), log.warning)
            return not isinstance(held, SyncBusy)
        except Exception as fault:  # noqa: BLE001 - as above; the text of an error may quote a row
            self._say(what, type(fault).__name__, log.error)
            return False
        self._said.pop(what, None)
        return True

    def _say(self, what: str, why: str, say: Callable[..., None]) -> None:
        if self._said.get(what) != why:
            self._said[what] = why
            say("%s: %s", what, why)
