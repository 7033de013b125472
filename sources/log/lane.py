"""The segment a worker is writing in one lane. After any failure it is cut to what was synced and left for ever."""

import contextlib
import errno
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sources.log.clock import Clock
from sources.log.disk import Disk
from sources.log.refusals import LogFailed, LogFull
from sources.log.segment import Segment

LARGE = 32 * 1024  # bytes
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass
class _Open:
    """A segment that is being written. `size` is what is known to be on disk."""

    segment: Segment
    descriptor: int
    since: float
    clock: Clock
    size: int = 0


class LaneFile:
    """Appends to one lane; a segment is opened by its first line, so an idle lane makes no files."""

    def __init__(self, folder: Path, disk: Disk, next_segment: Callable[[], Segment]) -> None:
        self._folder = folder
        self._disk = disk
        self._next = next_segment
        self._open: _Open | None = None

    @property
    def size(self) -> int:
        return self._open.size if self._open else 0

    @property
    def since(self) -> float | None:
        """When the segment was opened, by the monotonic clock."""
        return self._open.since if self._open else None

    def append(self, pieces: Sequence[bytes]) -> None:
        """Return when all of it is on disk. Raises LogFull or LogFailed, and then none of it counts."""
        try:
            current = self._open = self._open or self._created()
            for piece in writes(pieces):
                rest = memoryview(piece)
                while rest:
                    rest = rest[self._disk.write(current.descriptor, rest) :]
            # never tried again on this file after it failed: the kernel may have dropped the pages and forgotten
            self._disk.sync(current.descriptor)
            current.size += sum(map(len, pieces))
            current.clock.note(current.size)
        except OSError as fault:
            self._abandon()
            kind = LogFull if fault.errno in FULL else LogFailed
            raise kind(f"the log can't be written: {errno.errorcode.get(fault.errno or 0, 'error')}") from None

    def seal(self) -> None:
        """Close the segment and say so in its name; the next line opens another."""
        if current := self._open:
            self._open = None
            current.clock.close()
            with contextlib.suppress(OSError):  # all of it is synced; a name that stays is repaired by the next start
                self._disk.close(current.descriptor)
                self._rename(current.segment)

    def _created(self) -> _Open:
        segment = self._next()
        self._disk.folder(self._folder)
        path = segment.open_path(self._folder)
        descriptor = self._disk.create(path)
        return _Open(segment, descriptor, time.monotonic(), Clock(self._folder, segment.stem))

    def _abandon(self) -> None:
        """Cut what was not synced. Nothing is added here again: a reader may stand behind the cut."""
        if (current := self._open) is None:
            return
        self._open = None
        current.clock.close()
        with contextlib.suppress(OSError):
            self._disk.truncate(current.descriptor, current.size)
        with contextlib.suppress(OSError):
            self._disk.close(current.descriptor)
        with contextlib.suppress(OSError):
            if current.size:
                self._rename(current.segment)
            else:
                self._disk.remove(current.segment.open_path(self._folder))

    def _rename(self, segment: Segment) -> None:
        self._disk.rename(segment.open_path(self._folder), segment.sealed_path(self._folder))


def writes(pieces: Sequence[bytes]) -> Sequence[bytes]:
    """Return what is written at a time: a call for each small piece costs more than a copy, for a large one less."""
    if sum(map(len, pieces)) > LARGE * len(pieces):
        return pieces
    return [b"".join(pieces)]
