"""What a piece of work costs: CPU and wall seconds, and how far memory rose above what was held before."""

from __future__ import annotations

import gc
import resource
import time
from dataclasses import asdict, dataclass
from pathlib import Path

MEBIBYTE = 1024


def memory_of(what: str) -> float:
    """VmRSS (held now) or VmHWM (the most ever held) of this process, in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) / MEBIBYTE
    raise LookupError(what)


@dataclass
class Cost:
    cpu: float
    wall: float
    extra_mib: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


class Meter:
    """Linux only: the high-water mark is reset at the start, so that loading the input doesn't count."""

    def __init__(self) -> None:
        self.cost: Cost | None = None

    def begin(self) -> None:
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")
        self.held = memory_of("VmRSS")
        self.cpu, self.wall = cpu_seconds(), time.perf_counter()

    def end(self) -> None:
        self.cost = Cost(
            cpu=cpu_seconds() - self.cpu,
            wall=time.perf_counter() - self.wall,
            extra_mib=memory_of("VmHWM") - self.held,
        )


def cpu_seconds() -> float:
    """Of all threads of this process, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
