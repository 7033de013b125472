"""How far two groupings of the same things agree, counted in pairs of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Agreement:
    """Pairs that were put together, that truly are of one person, and both."""

    together: int
    true: int
    both: int

    @property
    def precision(self) -> float:
        return self.both / self.together if self.together else 1.0

    @property
    def recall(self) -> float:
        return self.both / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        return 2 * self.both / (self.together + self.true) if self.together + self.true else 1.0
