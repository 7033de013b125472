"""Reading: what was appended after a position, each line once, whoever else reads or writes.

A position says for every worker in which segment to go on, and at which byte. It is plain JSON:
`{"w0": ["w0-1700000000000-3", 4096]}`; `{}` is the beginning.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sources.log.files import Files, LocalFiles
from sources.log.segment import Segment, parsed, place_of, whole_lines

Position = dict[str, Any]  # worker -> [segment, byte offset]; lists, because JSON has no pairs
LOOK_AHEAD = 1 << 16  # bytes; most lines are shorter


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


class Reads(Protocol):
    """What every log offers to those who read it, on this machine or behind an address."""

    def slices(self, lane: str, position: Mapping[str, Any], limit_bytes: int) -> tuple[list[Slice], Position]:
        """Return lines after the position, about as many as the limit, and the position after them."""

    def end(self, lane: str) -> Position:
        """Return the position behind everything there is now."""

    def has_passed(self, position: Mapping[str, Any], end: Mapping[str, Any]) -> bool:
        """Whether everything before that end was read."""


class Reader:
    """Reads segments. It holds no files and may be thrown away at any time."""

    def __init__(self, files: Path | Files) -> None:
        self.files: Files = LocalFiles(files) if isinstance(files, Path) else files

    def lanes(self) -> list[str]:
        return self.files.lanes()

    def read(self, lane: str, position: Mapping[str, Any], limit_bytes: int) -> tuple[list[bytes], Position]:
        """Return lines after the position, about as many as the limit, and the position after them."""
        slices, after = self.slices(lane, position, limit_bytes)
        return [line for piece in slices for _, line in piece.lines()], after

    def slices(self, lane: str, position: Mapping[str, Any], limit_bytes: int) -> tuple[list[Slice], Position]:
        """Do the same by segment, with offsets. Without news: no slices, and an equal position."""
        workers = self.files.workers(lane)  # first: a segment that has a successor then has its last byte
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
            max(0, self.files.size(lane, segment) - offset)
            for worker, segments in self.files.workers(lane).items()
            for segment, offset in _from(segments, position.get(worker))
        )

    def end(self, lane: str) -> Position:
        """Return the position behind everything there is now."""
        newest = {worker: segments[-1] for worker, segments in self.files.workers(lane).items()}
        return {worker: [segment.stem, self.files.size(lane, segment)] for worker, segment in newest.items()}

    def has_passed(self, position: Mapping[str, Any], end: Mapping[str, Any]) -> bool:
        return all(worker in position and place_of(position[worker]) >= place_of(end[worker]) for worker in end)

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
        if self.files.size(lane, segment) <= offset:
            return b""
        data = self.files.read(lane, segment, offset, size)
        while not (lines := whole_lines(data)) and b"\0" not in data:
            more = self.files.read(lane, segment, offset + len(data), max(size, LOOK_AHEAD))
            if not more:
                break
            data += more
        return lines


def _from(segments: list[Segment], place: Any) -> Iterator[tuple[Segment, int]]:
    """Yield the segments from a place on, each with the offset to begin at."""
    at = parsed(place[0]) if place else None
    first = bisect_left(segments, at[0]) if at else 0  # there may be thousands before it
    for segment in segments[first:]:
        yield segment, int(place[1]) if at and segment == at[0] else 0
