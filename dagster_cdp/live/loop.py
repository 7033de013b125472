"""The loop: cycles as fast as there is news, and little else to do when there is none."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb

from dagster_cdp.live.cycle import CycleReport, Part, cycle
from dagster_cdp.live.plan import Plan
from reverse_etl.contended import is_conflict
from sources.tail import Prepared, Tail

log = logging.getLogger(__name__)

SHORTEST = 0.2  # seconds between two starts of a cycle
IDLE_TICK = 1.0  # seconds; what is due by time alone is looked at as often even without news
IDLE_LOOK = 0.05  # seconds between two looks at an idle log: a stat of a folder
CLOCK_TICK = 30.0  # seconds; models that ask the time are run as often even without news
SLICE = 8 << 20  # bytes of a lane in one cycle; some 15,000 events
LARGEST = 128 << 20  # and when it is behind: most of a cycle's cost is the same for few and for many
KEPT = 600
PATIENCE = 30.0  # seconds for somebody else who writes what a cycle writes
PAUSE = 0.04  # seconds between two tries


@dataclass
class Loop:
    """Runs cycles on one connection until it is told to stop. `turn` is held during each."""

    tail: Tail
    connection: duckdb.DuckDBPyConnection
    make_plan: Callable[[duckdb.DuckDBPyConnection], Plan]
    parts: Sequence[Part] = ()
    turn: threading.RLock = field(default_factory=threading.RLock)
    after: Callable[[CycleReport], None] = lambda _: None
    reports: deque[CycleReport] = field(default_factory=lambda: deque(maxlen=KEPT))

    def __post_init__(self) -> None:
        self.count = 0
        self.line_count = 0
        self._plan: Plan | None = None
        self._limit = SLICE
        [(self._cores,)] = self.connection.execute("select current_setting('threads')").fetchall()
        self._threads = self._cores
        self._reading = ThreadPoolExecutor(1, "reads ahead")
        self._ahead: Future[list[Prepared]] | None = None
        self._guests, self._counting = 0, threading.Lock()
        self._stop = threading.Event()
        self._resumed = threading.Event()
        self._resumed.set()

    def run(self) -> None:
        """Run until stopped; an error ends it, and the next start goes on where it was."""
        looked = ticked = time.monotonic()
        while not self._stop.is_set():
            self._resumed.wait(timeout=IDLE_TICK)
            began = time.monotonic()
            is_tick = began - ticked >= CLOCK_TICK
            is_due = is_tick or began - looked >= IDLE_TICK
            if self.is_paused or self._once(is_due=is_due, is_tick=is_tick) is None:
                self._stop.wait(IDLE_LOOK)
                continue
            looked, ticked = began, began if is_tick else ticked
            self._stop.wait(max(0.0, SHORTEST - (time.monotonic() - began)))

    def _once(self, *, is_due: bool, is_tick: bool) -> CycleReport | None:
        """As `once`; who writes the same for very long is waited for, as nothing of the cycle has happened."""
        try:
            return self.once(even_without_news=is_due, is_tick=is_tick)
        except duckdb.TransactionException as fault:
            if not is_conflict(fault):
                raise
            log.warning("no cycle for %.0f s: another transaction writes what a cycle writes", PATIENCE)
            return None

    def once(self, *, even_without_news: bool = False, is_tick: bool = False) -> CycleReport | None:
        """Run one cycle if there is news; None when there was none."""
        with self.turn:  # also while reading: a build that is handed over turns the loop from its own thread
            prepared = self._prepared()
            if not prepared and not even_without_news:
                return None
            self._read_ahead(prepared)
            report = self._cycle(prepared, is_tick)
        self.reports.append(report)
        self.count += 1
        self.line_count += report.lines
        self.after(report)
        return report

    def _prepared(self) -> list[Prepared]:
        """What was read ahead, or what is new."""
        ahead, self._ahead = self._ahead, None
        found = ahead.result() if ahead else []
        return found or self._reading.submit(self.tail.prepare, self._limit).result()

    def _read_ahead(self, prepared: Sequence[Prepared]) -> None:
        """When behind, take much at a time and read it while the warehouse works."""
        is_behind = any(batch.byte_count >= self._limit // 2 for batch in prepared)
        self._limit = LARGEST if is_behind else SLICE
        self._use(max(1, self._cores // 2) if self._guests and not is_behind else self._cores)
        if is_behind:
            self._ahead = self._reading.submit(self.tail.prepare, self._limit, prepared)

    def _use(self, threads: int) -> None:
        """Let DuckDB have so many threads: beside a batch, cycles that keep up are faster with half of the cores."""
        if threads != self._threads:
            self.connection.execute(f"set threads = {threads}")
            self._threads = threads

    def _cycle(self, prepared: Sequence[Prepared], is_tick: bool) -> CycleReport:
        """Begin again if somebody else wrote what this wrote: a dispatcher, or who decides by hand."""
        until = time.monotonic() + PATIENCE
        while True:
            self._plan = self._plan or self.make_plan(self.connection)
            try:
                return cycle(self.tail, self._plan, self.connection, prepared, self.parts, is_tick=is_tick)
            except BaseException as fault:
                self._plan.is_fresh = True
                self._ahead = None  # it is behind what wasn't landed
                if not is_conflict(fault):
                    self._plan = None  # dbt's memory of what tables there are may be of what was rolled back
                    raise
                if time.monotonic() >= until or self._stop.is_set():
                    raise
                time.sleep(PAUSE)

    def refresh(self) -> None:
        """Run all hot models, as a build may have changed what they read; if what they stand on, compile them first."""
        with self.turn:
            if self._plan and self._plan.still_stands(self.connection):
                self._plan.is_fresh = True
            else:
                self._plan = None
            self.once(even_without_news=True)

    @contextmanager
    def company(self) -> Iterator[None]:
        """A batch runs in this process."""
        with self._counting:
            self._guests += 1
        try:
            yield
        finally:
            with self._counting:
                self._guests -= 1

    def pause(self) -> None:
        self._resumed.clear()

    def resume(self) -> None:
        self._resumed.set()

    @property
    def is_paused(self) -> bool:
        return not self._resumed.is_set()

    def stop(self) -> None:
        """End after the cycle that is running."""
        self._stop.set()
        self._resumed.set()
