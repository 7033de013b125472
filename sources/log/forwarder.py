"""Ships the log of this machine to a remote: in order, from where it stands, again after a failure until it arrived.

It is a follower of the log called `shipping`, so that nothing is deleted before it was shipped.
"""

import fcntl
import os
import threading
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sources.log.broker import PIECE
from sources.log.followers import Followers
from sources.log.reader import Position, Reader
from sources.log.refusals import LogRefused
from sources.log.remotes import Remote
from sources.log.segment import Segment, place_of

FOLLOWER = "shipping"
PAUSE = 0.2  # seconds between two looks
AFTER_A_FAILURE = 5.0
LAST = 10.0  # seconds to ship what is left when the process ends


class Forwarder:
    """One per process; only the one that holds the lock ships, for all workers of the machine."""

    def __init__(self, root: Path, remote: Remote) -> None:
        self._root = root
        self._remote = remote
        self._reader = Reader(root)
        self._followers = Followers(root)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log shipping", daemon=True)
        self.failures = 0
        self.fault = ""  # why the last attempt failed

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Ship what there is and end; what can't be shipped now is shipped by the next start."""
        self._ending.set()
        self._thread.join(LAST)

    def ship(self) -> int:
        """Ship everything that is new, and say how many bytes that was. Raises LogFailed."""
        return sum(self._ship_lane(lane) for lane in self._reader.lanes())

    def _ship_lane(self, lane: str) -> int:
        shipped, position = 0, self._followers.positions(FOLLOWER).get(lane, {})
        while True:
            position, size = self._ship_some(lane, position)
            if not size:
                return shipped
            shipped += size
            self._followers.say(FOLLOWER, lane, position)

    def _ship_some(self, lane: str, position: Position) -> tuple[Position, int]:
        if not self._remote.takes_open_segments:
            return self._ship_whole(lane, position)
        slices, after = self._reader.slices(lane, position, PIECE)
        for piece in slices:
            self._remote.put(lane, piece.segment, piece.offset, piece.data)
        return after, sum(len(piece.data) for piece in slices)

    def _ship_whole(self, lane: str, position: Position) -> tuple[Position, int]:
        """Ship each worker's next sealed segment."""
        after, size = dict(position), 0
        for worker, segment in self._sealed(lane, position):
            data = segment.sealed_path(self._root / lane).read_bytes()
            self._remote.put(lane, segment.stem, 0, data)
            after[worker] = [segment.stem, len(data)]
            size += max(1, len(data))
        return after, size

    def _sealed(self, lane: str, position: Position) -> Iterator[tuple[str, Segment]]:
        for worker, segments in self._reader.files.workers(lane).items():
            first = bisect_right(segments, place_of(position[worker])[0]) if worker in position else 0
            if first < len(segments) and segments[first].sealed_path(self._root / lane).exists():
                yield worker, segments[first]

    def _run(self) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._root / f".{FOLLOWER}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            while not self._has_lock(descriptor):
                if self._ending.wait(PAUSE):
                    return
            self._ship_until_the_end()
        finally:
            os.close(descriptor)

    def _ship_until_the_end(self) -> None:
        while True:
            is_ending, pause = self._ending.is_set(), PAUSE
            try:
                self.ship()
            except (LogRefused, OSError) as fault:
                self.fault = str(fault) if isinstance(fault, LogRefused) else type(fault).__name__
                self.failures += 1
                pause = AFTER_A_FAILURE
            if is_ending:
                return
            self._ending.wait(pause)

    def _has_lock(self, descriptor: int) -> bool:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False
