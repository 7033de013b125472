"""Counters of this worker, in Prometheus' text format."""

from collections import Counter


class Metrics:
    """What happened since this worker began."""

    def __init__(self) -> None:
        self.events: Counter[tuple[str, str]] = Counter()
        self.requests: Counter[int] = Counter()

    def took(self, source: str, counts: Counter[str]) -> None:
        for outcome, count in counts.items():
            self.events[source, outcome] += count
