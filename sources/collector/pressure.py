"""How much is taken on at once: bounded bytes in this worker, bounded events a second of one source."""

import time
from collections.abc import Callable

from sources.collector.refusal import Refusal


class InFlight:
    """The bytes of all bodies that are being read or written to disk."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.bytes = 0

    def take(self, size: int) -> None:
        if self.bytes + size > self.limit:
            raise Refusal(429, "too_much_in_flight", retry_after=1)
        self.bytes += size

    def give_back(self, size: int) -> None:
        self.bytes -= size


class Bucket:
    """A source's events a second, with a burst of ten seconds."""

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._clock = clock
        self._left = per_second * 10.0
        self._at = clock()

    def take(self, events: int) -> None:
        now = self._clock()
        self._left = min(self._per_second * 10.0, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left <= 0:
            raise Refusal(429, "rate_limited", retry_after=max(1, round(-self._left / self._per_second)))
        self._left -= events
