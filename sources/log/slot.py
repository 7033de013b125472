"""Which worker a process is: names are few and used again, and two processes never have the same."""

import fcntl
import os
import time
from pathlib import Path

from sources.log.refusals import LogFailed
from sources.log.segment import NAMED, OPEN

MOST = 1000  # worker processes on one machine
PATIENCE = 5.0  # seconds; whoever starts holds the name of a dead worker while it seals what that one left
PAUSE = 0.02


class Slot:
    """A worker's name, held until the process ends: the operating system lets go of the lock, however it ends."""

    def __init__(self, worker: str, descriptor: int) -> None:
        self.worker = worker
        self._descriptor = descriptor

    def epoch(self, at_least: int) -> int:
        """Return a number above each that this worker ever used, even if the clock was set back, and remember it."""
        used = os.pread(self._descriptor, 32, 0)
        epoch = max(at_least, int(used) + 1 if used.strip().isdigit() else 0)
        os.pwrite(self._descriptor, b"%-20d" % epoch, 0)
        os.fdatasync(self._descriptor)
        return epoch

    def release(self) -> None:
        os.close(self._descriptor)


def claim(root: Path, worker: str | None, node: str = "w") -> Slot:
    """Take this worker's name; without one the first of `<node>0`, `<node>1`, … that is free."""
    until = time.monotonic() + PATIENCE
    while True:
        for name in [worker] if worker else (f"{node}{number}" for number in range(MOST)):
            if slot := claimed(root, name):
                return slot
        if time.monotonic() >= until:
            raise LogFailed(f"another process writes the log as {worker or node}; give this one another name")
        time.sleep(PAUSE)


def claimed(root: Path, worker: str) -> Slot | None:
    """Take this name if nobody has it."""
    if not NAMED.fullmatch(f"{worker}-0-0{OPEN}"):
        raise ValueError(f"{worker!r} is no name for a worker")
    root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(root / f".{worker}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return Slot(worker, descriptor)
