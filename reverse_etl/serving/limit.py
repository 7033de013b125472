"""So many requests a second for each key: a bucket that fills up by itself."""

import time
from collections.abc import Callable


class Limit:
    """`take` gives the seconds to wait; 0: go on."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}  # what is in it, and when that was

    def take(self, name: str, per_second: float, burst: int) -> float:
        moment = self._clock()
        held, at = self._buckets.get(name, (float(burst), moment))
        held = min(float(burst), held + (moment - at) * per_second)
        is_free = held >= 1
        self._buckets[name] = (held - 1 if is_free else held, moment)
        return 0.0 if is_free else (1 - held) / per_second
