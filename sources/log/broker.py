"""Reading from a broker: messages are pieces of segments, in order for each worker, some of them twice.

A piece may end in the middle of a line. Where it belongs is in its headers, so one that was delivered before, or
comes after a newer segment began, is known and left out.
"""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol

from sources.log.reader import Position, Slice
from sources.log.segment import Segment, parsed

PIECE = 512 * 1024  # bytes in a message; brokers take 1 MB if nobody says otherwise
CURSOR = "@"  # key of a position: where to go on in the broker's own order


@dataclass(frozen=True)
class Piece:
    """One message. `cursor` is where the broker goes on after it, `part` which of its sequences it is in."""

    part: str
    cursor: int
    segment: str
    offset: int
    data: bytes


class Stream(Protocol):
    """The messages of a lane."""

    def after(self, lane: str, cursors: Mapping[str, int]) -> Generator[Piece]:
        """Yield pieces after the cursors in the order of each part, until the end as it is now."""

    def ends(self, lane: str) -> dict[str, int]:
        """Return the cursor after the last message of each part."""


@dataclass
class _Place:
    """How far a worker's lines are put together."""

    segment: Segment
    offset: int
    rest: bytes = b""  # of a line that goes on in the next piece

    def absorb(self, segment: Segment, offset: int, data: bytes) -> tuple[int, bytes]:
        """Return the whole lines that this piece completes, and where they begin."""
        if segment < self.segment:
            return self.offset, b""
        if segment > self.segment:
            self.segment, self.offset, self.rest = segment, offset, b""
        have = self.offset + len(self.rest)
        if offset > have:  # the broker no longer keeps what lay between
            self.offset, self.rest, have = offset, b"", offset
        self.rest += data[have - offset :]
        start, end = self.offset, self.rest.rfind(b"\n") + 1
        lines, self.rest = self.rest[:end], self.rest[end:]
        self.offset += end
        return start, lines


class BrokerReader:
    """Reads a lane of a broker as Reader reads segments."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream

    def read(self, lane: str, position: Mapping[str, Any], limit_bytes: int) -> tuple[list[bytes], Position]:
        """Return lines after the position, about as many as the limit, and the position after them."""
        slices, after = self.slices(lane, position, limit_bytes)
        return [line for piece in slices for _, line in piece.lines()], after

    def slices(self, lane: str, position: Mapping[str, Any], limit_bytes: int) -> tuple[list[Slice], Position]:
        """Do the same by segment. A cursor stays before a message whose last line isn't whole yet."""
        places = {worker: placed(place) for worker, place in position.items() if worker != CURSOR}
        cursors = dict(position.get(CURSOR, {}))
        reached, held, size = dict(cursors), set[str](), 0
        found: list[Slice] = []
        with closing(self.stream.after(lane, cursors)) as pieces_after:
            for piece in pieces_after:
                if named := parsed(piece.segment):
                    place = places.setdefault(named[0].worker, _Place(named[0], piece.offset))
                    start, lines = place.absorb(named[0], piece.offset, piece.data)
                    found += [Slice(lane, piece.segment, start, lines)] if lines else []
                    (held.add if place.rest else held.discard)(named[0].worker)
                reached[piece.part] = piece.cursor
                cursors = cursors if held else dict(reached)
                size += len(piece.data)
                if size >= limit_bytes and (found or not held):
                    break
        after: Position = {worker: [place.segment.stem, place.offset] for worker, place in places.items()}
        return found, {**after, CURSOR: cursors} if cursors else after

    def end(self, lane: str) -> Position:
        """Return where the broker ends now; which segments those are is known once they are read."""
        return {CURSOR: self.stream.ends(lane)}

    def has_passed(self, position: Mapping[str, Any], end: Mapping[str, Any]) -> bool:
        cursors = position.get(CURSOR, {})
        return all(cursors.get(part, 0) >= cursor for part, cursor in end[CURSOR].items())


def placed(place: Any) -> _Place:
    """Return a worker's entry of a position."""
    if (found := parsed(place[0])) is None:
        raise ValueError("a position names no segment")
    return _Place(found[0], int(place[1]))


def pieces(offset: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    """Cut into messages a broker takes."""
    for at in range(0, len(data), PIECE):
        yield offset + at, data[at : at + PIECE]
