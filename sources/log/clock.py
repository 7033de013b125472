"""When each commit was on disk, beside the log: `.clock/<lane>/<segment>` has a pair (end, microseconds) for each.

Only for who measures: it is never synced, may be missing, and goes after an hour.
"""

import os
import struct
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

PAIR = struct.Struct("<qq")
KEPT = 3_600.0  # seconds

Times = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]  # ends in the segment, microseconds since 1970


class Clock:
    """Notes the commits of one segment. A disk that has no room for it is no reason to stop."""

    def __init__(self, lane: Path, segment: str) -> None:
        self._descriptor: int | None = None
        path = path_of(lane, segment)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            forget(path.parent)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def note(self, end: int) -> None:
        """Everything before `end` is on disk now."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.write(self._descriptor, PAIR.pack(end, time.time_ns() // 1_000))

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def path_of(lane: Path, segment: str) -> Path:
    return lane.parent / ".clock" / lane.name / segment


def forget(folder: Path) -> None:
    """Delete what was last written an hour ago."""
    for path in folder.iterdir():
        if path.stat().st_mtime < time.time() - KEPT:
            path.unlink(missing_ok=True)


def read(lane: Path, segment: str) -> Times:
    """Return the commits of a segment, in their order."""
    try:
        data = path_of(lane, segment).read_bytes()
    except OSError:
        data = b""
    pairs = np.frombuffer(data[: len(data) // PAIR.size * PAIR.size], dtype="<i8").reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def stored_at(times: Times, offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.datetime64]:
    """Return when the lines that begin at these offsets were on disk; not-a-time where that isn't known."""
    ends, moments = times
    found = np.full(len(offsets), np.datetime64("NaT", "us"))
    place = np.searchsorted(ends, offsets, side="right")
    is_known = place < len(ends)
    found[is_known] = moments[place[is_known]].astype("datetime64[us]")
    return found
