"""How well the identity graph finds the true people: pairwise precision and recall over identifiers."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

Identifier = tuple[str, str]


@dataclass(frozen=True)
class Agreement:
    """Counts of pairs of identifiers: put together, truly of one person, and both."""

    together: int
    true: int
    both: int

    @property
    def precision(self) -> float:
        return self.both / self.together if self.together else 1.0

    @property
    def recall(self) -> float:
        return self.both / self.true if self.true else 1.0


def read_truth(folder: Path) -> dict[Identifier, str]:
    """The person behind each identifier that is one person's; what several share is nobody's."""
    with (folder / "identifiers.csv").open(newline="") as file:
        return {
            (row["identifier_type"], row["identifier_value"]): row["person_id"]
            for row in csv.DictReader(file)
            if row["is_shared"] == "false"
        }


def agreement(profiles: Mapping[Identifier, str], people: Mapping[Identifier, str]) -> Agreement:
    """Compare two groupings on the identifiers that both know."""
    known = [identifier for identifier in people if identifier in profiles]
    return Agreement(
        together=pairs(profiles[identifier] for identifier in known),
        true=pairs(people[identifier] for identifier in known),
        both=pairs((profiles[identifier], people[identifier]) for identifier in known),
    )


def pairs(groups: Iterable[object]) -> int:
    return sum(count * (count - 1) // 2 for count in Counter(groups).values())
