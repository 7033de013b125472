"""Whether another process has a file locked: the kernel knows in microseconds, opening the warehouse takes 30 ms."""

import fcntl
import os
import struct
import sys
from pathlib import Path

# struct flock of Linux on 64 bits: type, whence, start, length, pid.
FLOCK = struct.Struct("@hhqqi4x")
_KEPT: dict[Path, int] = {}


def may_be_locked_elsewhere(file: Path) -> bool:
    """No is certain; yes may be wrong where the kernel's answer can't be read."""
    if sys.platform != "linux" or sys.maxsize < 2**32:
        return True
    answer = fcntl.fcntl(_descriptor(file), fcntl.F_GETLK, FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    return bool(FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)


def _descriptor(file: Path) -> int:
    """One for the life of the process: closing it would drop the lock of a connection open in this process."""
    kept = _KEPT.get(file)
    if kept is None or not os.path.samestat(os.fstat(kept), file.stat()):
        kept = _KEPT[file] = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    return kept
