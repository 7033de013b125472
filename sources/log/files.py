"""Where segments lie: in a folder of this machine. Object stores are read by the same Reader (`remotes/objects.py`)."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sources.log.repair import lanes_of
from sources.log.segment import Segment, checked_lane, segments_among

Workers = dict[str, list[Segment]]
SETTLED = 2.0  # seconds; a folder's time of change is coarser than two changes may be apart


class Files(Protocol):
    """What reading needs of a place that holds segments."""

    def lanes(self) -> list[str]: ...

    def workers(self, lane: str) -> Workers:
        """Return each worker's segments in the order of writing."""

    def size(self, lane: str, segment: Segment) -> int:
        """Return its bytes; 0 for one that is gone."""

    def read(self, lane: str, segment: Segment, offset: int, size: int) -> bytes:
        """Return so many bytes from there, fewer at the end, none of one that is gone."""


@dataclass
class _Listing:
    changed: int
    looked: float
    workers: Workers


class LocalFiles:
    """A folder. It holds no file open, and lists a lane again only when its folder has changed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._listings: dict[str, _Listing] = {}

    def lanes(self) -> list[str]:
        return lanes_of(self.root)

    def workers(self, lane: str) -> Workers:
        folder = self.root / checked_lane(lane)
        try:
            changed, now = folder.stat().st_mtime_ns, time.time()
        except FileNotFoundError:
            return {}
        known = self._listings.get(lane)
        if known is None or known.changed != changed or known.looked - changed / 1e9 <= SETTLED:
            names = os.listdir(folder)  # noqa: PTH208 - names only, there may be thousands
            known = self._listings[lane] = _Listing(changed, now, by_worker(names))
        return known.workers

    def size(self, lane: str, segment: Segment) -> int:
        for path in self._paths(lane, segment):
            with suppress(FileNotFoundError):
                return path.stat().st_size
        return 0

    def read(self, lane: str, segment: Segment, offset: int, size: int) -> bytes:
        for path in self._paths(lane, segment):
            with suppress(FileNotFoundError), path.open("rb") as file:
                file.seek(offset)
                return file.read(size)
        return b""

    def _paths(self, lane: str, segment: Segment) -> tuple[Path, Path]:
        """Where it may be. Open first: it may be sealed in between, but never the other way round."""
        folder = self.root / lane
        return segment.open_path(folder), segment.sealed_path(folder)


def by_worker(names: Iterable[str]) -> Workers:
    workers: Workers = {}
    for segment in segments_among(names):
        workers.setdefault(segment.worker, []).append(segment)
    return workers
