"""Reading: what was appended after a position, each line once, whoever else reads or writes.

A position says for every worker in which segment to go on, and at which byte. It is plain JSON:
`{"w0": ["w0-1700000000000-3", 4096]}`; `{}` is the beginning.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from sources.log.repair import lanes_of
from sources.log.segment import Segment, checked_lane, parsed, segments_among, whole_lines

Position = dict[str, list[Any]]  # worker -> [segment, byte offset]; lists, because JSON has no pairs

SETTLED = 2.0  # seconds; a folder's time of change is coarser than two changes may be apart


@dataclass(frozen=True)
class Slice:
    """Whole lines of one segment, as they lie there."""

    lane: str
    segment: str
    offset: int
    data: bytes

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield each line with the offset where it begins; (segment, offset) names it for ever."""
        at = self.offset
        for line in self.data.split(b"\n")[:-1]:
            yield at, line
            at += len(line) + 1


@dataclass
class _Listing:
    changed: int
    looked: float
    workers: dict[str, list[Segment]] = field(default_factory=dict)


class Reader:
    """Reads the segments of a folder. It holds no files and may be thrown away at any time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._listings: dict[str, _Listing] = {}

    def lanes(self) -> list[str]:
        return lanes_of(self.root)

    def read(self, lane: str, position: Mapping[str, Any], limit_bytes: int) -> tuple[list[bytes], Position]:
        """Return lines after the position, about as many as the limit, and the position after them."""
        slices, after = self.slices(lane, position, limit_bytes)
        return [line for piece in slices for _, line in piece.lines()], after

    def slices(self, lane: str, position: Mapping[str, Any], limit_bytes: int) -> tuple[list[Slice], Position]:
        """Do the same by segment, with offsets. Without news: no slices, and an equal position."""
        workers = self._workers(lane)  # listed first: a segment that has a successor then has its last byte
        share = max(1, limit_bytes // max(1, len(workers)))
        after: Position = {worker: list(place) for worker, place in position.items()}
        found: list[Slice] = []
        for worker, segments in workers.items():
            for piece in self._of_worker(lane, segments, after.get(worker), share):
                after[worker] = [piece.segment, piece.offset + len(piece.data)]
                found.append(piece)
        return found, after

    def lag(self, lane: str, position: Mapping[str, Any]) -> int:
        """Return how many bytes lie behind the position."""
        return sum(
            max(0, self._size(lane, segment) - offset)
            for worker, segments in self._workers(lane).items()
            for segment, offset in _from(segments, position.get(worker))
        )

    def end(self, lane: str) -> Position:
        """Return the position behind everything there is now."""
        newest = {worker: segments[-1] for worker, segments in self._workers(lane).items()}
        return {worker: [segment.stem, self._size(lane, segment)] for worker, segment in newest.items()}

    def _of_worker(self, lane: str, segments: list[Segment], place: Any, budget: int) -> Iterator[Slice]:
        for segment, start in _from(segments, place):
            offset = start
            while budget > 0 and (data := self._chunk(lane, segment, offset, budget)):
                yield Slice(lane, segment.stem, offset, data)
                offset += len(data)
                budget -= len(data)
            if budget <= 0:
                return

    def _chunk(self, lane: str, segment: Segment, offset: int, size: int) -> bytes:
        """Return whole lines from here on: about `size` bytes, at least one line, nothing at the end."""
        if self._size(lane, segment) <= offset or (file := self._opened(lane, segment)) is None:
            return b""
        with file:
            file.seek(offset)
            data = file.read(size)
            while not (lines := whole_lines(data)) and b"\0" not in data and (more := file.read(max(size, 1 << 16))):
                data += more
        return lines

    def _paths(self, lane: str, segment: Segment) -> tuple[Path, Path]:
        """Where the segment may be. Open first: it may be sealed in between, but never the other way round."""
        folder = self.root / lane
        return segment.open_path(folder), segment.sealed_path(folder)

    def _opened(self, lane: str, segment: Segment) -> BinaryIO | None:
        for path in self._paths(lane, segment):
            with suppress(FileNotFoundError):
                return path.open("rb")
        return None

    def _size(self, lane: str, segment: Segment) -> int:
        for path in self._paths(lane, segment):
            with suppress(FileNotFoundError):
                return path.stat().st_size
        return 0

    def _workers(self, lane: str) -> dict[str, list[Segment]]:
        """Return the segments of the lane by worker, listed again only when the folder has changed."""
        folder = self.root / checked_lane(lane)
        try:
            changed, now = folder.stat().st_mtime_ns, time.time()
        except FileNotFoundError:
            return {}
        known = self._listings.get(lane)
        if known and known.changed == changed and known.looked - changed / 1e9 > SETTLED:
            return known.workers
        listing = _Listing(changed, now)
        for segment in segments_among(os.listdir(folder)):  # noqa: PTH208 - names only, there may be thousands
            listing.workers.setdefault(segment.worker, []).append(segment)
        self._listings[lane] = listing
        return listing.workers


def _from(segments: list[Segment], place: Any) -> Iterator[tuple[Segment, int]]:
    """Yield the segments from a place on, each with the offset to begin at."""
    at = parsed(place[0]) if place else None
    for segment in segments:
        if at is None or segment > at[0]:
            yield segment, 0
        elif segment == at[0]:
            yield segment, int(place[1])
