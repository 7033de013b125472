"""How well the identity graph finds the true people: pairwise precision and recall over identifiers."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.agreement import Agreement

Identifier = tuple[str, str]


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
