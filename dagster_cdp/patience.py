"""Waiting for the warehouse: bounded, and told who has it."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

PAUSE = 0.1  # seconds between two tries


class WarehouseBusy(RuntimeError):
    """Somebody else held the warehouse for longer than the caller wanted to wait."""


@dataclass(frozen=True)
class Holder:
    """Who has the warehouse; `since` in seconds of the wall clock."""

    pid: int | None
    purpose: str
    since: float

    @classmethod
    def me(cls, purpose: str) -> "Holder":
        return cls(os.getpid(), purpose, time.time())

    def __str__(self) -> str:
        who = f"pid {self.pid}" if self.pid else "another process"
        return f"{who} '{self.purpose}' for {max(0.0, time.time() - self.since):.0f} s"


@dataclass
class Patience:
    """How long one caller waits, and how often it says so."""

    timeout: float
    every: float
    say: Callable[[str], None]
    began: float = field(default_factory=time.monotonic)
    said: float = 0.0

    def until_free(self, ask: Callable[[], Holder | None]) -> None:
        """Ask until nobody holds it; raise `WarehouseBusy` when patience ends."""
        while (holder := ask()) is not None:
            waited = time.monotonic() - self.began
            if waited >= self.timeout:
                raise WarehouseBusy(refusal_of(holder, waited))
            if waited - self.said >= self.every:
                self.said = waited
                self.say(f"waiting for the warehouse: held by {holder}")
            time.sleep(min(PAUSE, self.timeout - waited))


def refusal_of(holder: Holder, waited: float) -> str:
    stop = f" or stop it (kill {holder.pid})" if holder.pid and holder.pid != os.getpid() else ""
    return (
        f"The warehouse is busy: held by {holder}; gave up after {waited:.0f} s. "
        f"Wait until it is done{stop}, then run this again."
    )
