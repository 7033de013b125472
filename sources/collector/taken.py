"""What one request comes to: lines for the log, ids to remember once they are on disk, and counts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from sources.collector import quarantine
from sources.log.lines import Lines

EVENTS = "web_events.events"


class Log(Protocol):
    """What is needed of the durable log."""

    def submit(self, lane: str, lines: Lines, answered: Callable[[Exception | None], None]) -> None: ...


@dataclass(slots=True)
class Taken:
    """Filled by intake, stored as a whole."""

    lanes: dict[str, Lines] = field(default_factory=dict)
    marks: list[int] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)  # by outcome, or `quarantined:<code>`
    denied: dict[str, int] = field(default_factory=dict)  # by type; no Counter: making one takes a microsecond

    def keep(self, lane: str, line: bytes) -> None:
        self.lane(lane).add(line)

    def lane(self, lane: str) -> Lines:
        return self.lanes.setdefault(lane, Lines())

    def refuse(self, line: bytes, code: str) -> None:
        self.keep(quarantine.LANE, line)
        self.count(f"quarantined:{code}")

    def count(self, outcome: str, events: int = 1) -> None:
        self.counts[outcome] = self.counts.get(outcome, 0) + events
