"""What a dispatcher did, in counts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Dispatched:
    """Messages by trigger and what became of them; `refused`: where a person must act."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    is_busy: bool = False  # another dispatcher is at it

    def add(self, trigger: str, outcomes: Mapping[str, int]) -> None:
        self.counts.setdefault(trigger, Counter()).update(outcomes)

    def count(self, state: str) -> int:
        return sum(counts[state] for counts in self.counts.values())
