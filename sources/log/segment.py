"""What segments are called: `<lane>/<worker>-<epoch ms>-<n>.ndjson`, and `….ndjson.sealed` once nothing is added.

A worker writes one segment of a lane after the other, and never one it left. So within a worker the order of
names is the order of writing, and a place in a segment always holds the same line.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

OPEN = ".ndjson"
SEALED = ".ndjson.sealed"
LANE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?")
NAMED = re.compile(r"(?P<worker>[A-Za-z0-9_.-]+)-(?P<epoch>[0-9]+)-(?P<number>[0-9]+)(?P<ending>\.ndjson(\.sealed)?)")


class Segment(NamedTuple):
    """One segment, by name. Sorted: by worker, then in the order of writing."""

    worker: str
    epoch: int  # milliseconds since 1970 when the worker began
    number: int

    @property
    def stem(self) -> str:
        return f"{self.worker}-{self.epoch}-{self.number}"

    def open_path(self, folder: Path) -> Path:
        return folder / f"{self.stem}{OPEN}"

    def sealed_path(self, folder: Path) -> Path:
        return folder / f"{self.stem}{SEALED}"


def parsed(name: str) -> tuple[Segment, bool] | None:
    """Return the segment a file name (or stem) stands for, and whether it is sealed; null for other files."""
    found = NAMED.fullmatch(name if OPEN in name else name + OPEN)
    if not found:
        return None
    segment = Segment(found["worker"], int(found["epoch"]), int(found["number"]))
    return segment, found["ending"] == SEALED


def segments_among(names: Iterable[str]) -> dict[Segment, bool]:
    """Return the segments among file names: whether each is sealed."""
    return dict(sorted(found for name in names if (found := parsed(name))))


@lru_cache(1000)
def checked_lane(lane: str) -> str:
    if not LANE.fullmatch(lane):
        raise ValueError(f"{lane!r} is no lane: write <connector>.<table>, or one word")
    return lane


def whole_lines(data: bytes) -> bytes:
    """Leave off what was never acknowledged: a torn last line, or anything from the first NUL on.

    JSON holds no NUL; a file system shows them where a power cut left a hole.
    """
    hole = data.find(b"\0")
    end = data.rfind(b"\n", 0, hole if hole >= 0 else len(data)) + 1
    return data[:end] if end < len(data) else data


def place_of(place: Sequence[Any]) -> tuple[Segment, int]:
    """Return a place of a position so that it can be compared with another of the same worker."""
    if (found := parsed(place[0])) is None:
        raise ValueError("a position names no segment")
    return found[0], int(place[1])
