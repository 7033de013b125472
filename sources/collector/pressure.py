"""How much is taken on at once: bounded bytes in this worker, bounded events a second of one source."""

import time
from collections.abc import Callable

from sources.collector.refusal import Refusal

BURST_SECONDS = 10.0


class InFlight:
    """The bytes of all bodies that are being read or written to disk."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.bytes = 0


class Hold:
    """What one request holds of them, until it is answered."""

    __slots__ = ("_in_flight", "_size")

    def __init__(self, in_flight: InFlight) -> None:
        self._in_flight = in_flight
        self._size = 0

    def take(self, size: int) -> None:
        """Raises Refusal 429 where it would be too much; a request that is alone may always go on."""
        if self._in_flight.bytes > self._size and self._in_flight.bytes + size > self._in_flight.limit:
            raise Refusal(429, "too_much_in_flight", retry_after=1)
        self._size += size
        self._in_flight.bytes += size

    def release(self) -> None:
        self._in_flight.bytes -= self._size
        self._size = 0


class Bucket:
    """A source's events a second, with a burst of ten seconds."""

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._clock = clock
        self._left = per_second * BURST_SECONDS
        self._at = clock()

    def check(self) -> None:
        """Raises Refusal 429 when the source has sent more than its share."""
        now = self._clock()
        self._left = min(self._per_second * BURST_SECONDS, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left <= 0:
            raise Refusal(429, "rate_limited", retry_after=max(1, round(1 - self._left / self._per_second)))

    def took(self, events: int) -> None:
        self._left -= events
