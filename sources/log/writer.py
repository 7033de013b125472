"""Appending: one thread writes whatever waits in one go, syncs it, and then everyone is told.

So the cost of a sync is shared by all who came during the one before, and nobody is told earlier.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Protocol

from sources.log.disk import Disk
from sources.log.followers import delete_read
from sources.log.lane import LaneFile
from sources.log.lines import Lines
from sources.log.refusals import LogFailed, LogFull, LogRefused
from sources.log.repair import repair
from sources.log.segment import Segment, checked_lane
from sources.log.slot import claim
from sources.log.waiting import Answered, Queue, Waiting, answer_all, settle

MB = 1 << 20
SWEEP = 600.0  # seconds between two looks at what is old


class Lane(Protocol):
    """Where the lines of one lane go."""

    @property
    def size(self) -> int: ...

    @property
    def since(self) -> float | None: ...

    def append(self, pieces: Sequence[bytes]) -> None: ...

    def seal(self) -> None: ...


LaneMaker = Callable[[str, Callable[[], Segment]], Lane]


@dataclass(frozen=True)
class Limits:
    """When a segment is full or old enough, how much may wait, and how much of the disk stays free."""

    segment_bytes: int = 64 * MB
    segment_seconds: float = 60.0
    waiting_bytes: int = 64 * MB
    free_bytes: int = 1024 * MB  # but never more than a twentieth of the disk
    keep_days: float | None = None  # of what every follower has read; None keeps all
    followers: tuple[str, ...] = ()  # that have to have read it, even if they never said anything yet


@dataclass
class Counted:
    """What a writer did since it began; `sync_seconds` is the sum over its commits."""

    commits: int = 0
    lines: int = 0
    bytes: int = 0
    refused: int = 0
    sync_seconds: float = 0.0


class Writer:
    """One worker's writer. Any thread and any event loop of the process may append."""

    def __init__(
        self,
        root: Path,
        worker: str | None = None,
        limits: Limits | None = None,
        disk: Disk | None = None,
        *,
        node: str = "w",
        lanes: LaneMaker | None = None,
    ) -> None:
        self.root = root
        self.counted = Counted()
        self._limits = limits or Limits()
        self._disk = disk or Disk()
        self._disk.folder(root)
        self._slot = claim(root, worker, node)
        newest = repair(root, self._slot, self._disk)
        self._epoch = self._slot.epoch(max(time.time_ns() // 1_000_000, newest + 1))
        self._numbers = count(1)
        self._make_lane = lanes or self._file
        self._lanes: dict[str, Lane] = {}
        self._queue = Queue(self._limits.waiting_bytes)
        self._closing = threading.Lock()
        self._is_closed = False
        self._swept = float("-inf")
        self._thread = threading.Thread(target=self._run, name=f"log {self._slot.worker}", daemon=True)
        self._thread.start()

    @property
    def worker(self) -> str:
        return self._slot.worker

    @property
    def waiting_bytes(self) -> int:
        return self._queue.bytes_held

    async def append(self, lane: str, lines: Sequence[bytes]) -> None:
        """Return when every line is on disk. Raises LogFull, LogBusy or LogFailed: then none of them counts."""
        if lines:
            future = asyncio.get_running_loop().create_future()
            self.submit(lane, Lines.of(lines), partial(settle, future))
            await future

    def submit(self, lane: str, lines: Lines, answered: Answered) -> None:
        """Do the same without a coroutine: `answered` is called on this event loop, with None or what was refused."""
        self._put(lane, lines, answered, asyncio.get_running_loop())

    def _put(self, lane: str, lines: Lines, answered: Answered, loop: asyncio.AbstractEventLoop | None) -> None:
        self._queue.put(Waiting(checked_lane(lane), lines.written(), lines.count, answered, loop))

    def append_now(self, lane: str, lines: Sequence[bytes]) -> None:
        """Do the same from a thread without an event loop."""
        if lines:
            self.put_now(lane, Lines.of(lines))

    def put_now(self, lane: str, lines: Lines) -> None:
        future: Future[None] = Future()
        self._put(lane, lines, partial(settle, future), None)
        future.result()

    async def drain(self) -> None:
        """Take no more, write what waits, and seal; return when that is done."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        self._queue.close()
        self._thread.join()
        with self._closing:
            if not self._is_closed:
                self._is_closed = True
                for lane in self._lanes.values():
                    lane.seal()
                self._slot.release()

    def _run(self) -> None:
        while not self._queue.is_done:
            group = self._queue.take(self._until_rotation())
            if group:
                self._commit(group)
            self._rotate()

    def _commit(self, group: list[Waiting]) -> None:
        began = time.monotonic()
        lanes: dict[str, list[Waiting]] = {}
        for waiting in group:
            lanes.setdefault(waiting.lane, []).append(waiting)
        for lane, members in lanes.items():
            answer = self._written(lane, members)
            for waiting in members:
                waiting.answer = answer
        self.counted.commits += 1
        self.counted.sync_seconds += time.monotonic() - began
        self._queue.release(group)
        answer_all(group)

    def _written(self, lane: str, members: Sequence[Waiting]) -> LogRefused | None:
        lines = sum(waiting.lines for waiting in members)
        pieces = [waiting.data for waiting in members]
        size = sum(map(len, pieces))
        try:
            self._check_space(size)
            self._lane(lane).append(pieces)
        except LogRefused as refusal:
            self.counted.refused += lines
            return refusal
        except Exception as fault:  # noqa: BLE001 - the thread must live: everyone waits for it
            self.counted.refused += lines
            return LogFailed(f"the log can't be written: {type(fault).__name__}")
        self.counted.lines += lines
        self.counted.bytes += size
        return None

    def _check_space(self, size: int) -> None:
        free, total = self._disk.free(self.root)
        if free - size < min(self._limits.free_bytes, total // 20):
            raise LogFull(f"{free // MB} MB are left on the log's disk")

    def _lane(self, lane: str) -> Lane:
        if lane not in self._lanes:
            self._lanes[lane] = self._make_lane(lane, self._next_segment)
        return self._lanes[lane]

    def _file(self, lane: str, next_segment: Callable[[], Segment]) -> Lane:
        return LaneFile(self.root / lane, self._disk, next_segment)

    def _next_segment(self) -> Segment:
        return Segment(self.worker, self._epoch, next(self._numbers))

    def _until_rotation(self) -> float | None:
        began = [lane.since for lane in self._lanes.values() if lane.since is not None]
        return max(0.0, min(began) + self._limits.segment_seconds - time.monotonic()) if began else None

    def _rotate(self) -> None:
        oldest = time.monotonic() - self._limits.segment_seconds
        for lane in self._lanes.values():
            if lane.since is not None and (lane.size >= self._limits.segment_bytes or lane.since <= oldest):
                lane.seal()
        if self._limits.keep_days is not None and self._swept < time.monotonic() - SWEEP:
            self._swept = time.monotonic()
            with suppress(OSError):
                delete_read(self.root, self._limits.keep_days, self._limits.followers)
