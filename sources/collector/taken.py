"""What one request comes to: lines for the log, ids to remember once they are on disk, and counts."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from sources.collector import quarantine
from sources.collector.deduplication import Memory

EVENTS = "web_events.events"


class Log(Protocol):
    """What is needed of the durable log."""

    async def append(self, lane: str, lines: list[bytes]) -> None: ...


@dataclass(slots=True)
class Taken:
    """Filled by intake, stored as a whole."""

    lanes: dict[str, list[bytes]] = field(default_factory=dict)
    marks: list[bytes] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    denied: Counter[str] = field(default_factory=Counter)

    def keep(self, lane: str, line: bytes) -> None:
        self.lanes.setdefault(lane, []).append(line)

    def refuse(self, line: bytes, code: str) -> None:
        self.keep(quarantine.LANE, line)
        self.counts[f"quarantined:{code}"] += 1


async def store(taken: Taken, log: Log, memory: Memory) -> None:
    """Return when all of it is on disk; only then are its ids remembered. Raises what the log raises."""
    lanes = list(taken.lanes.items())
    if len(lanes) == 1:
        await log.append(*lanes[0])
    elif lanes:
        await asyncio.gather(*(log.append(lane, lines) for lane, lines in lanes))
    memory.add(taken.marks)
