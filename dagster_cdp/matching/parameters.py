"""The trained weights as the seed that the warehouse scores with."""

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parents[2] / "dbt_project" / "seeds" / "match_parameters.csv"
COLUMNS = ("model", "comparison", "level", "label", "m_probability", "u_probability", "match_weight")
PRIOR = "prior"


@dataclass(frozen=True)
class Parameter:
    """How often a level is met among records of one person (m) and of two (u); for the prior, the share of pairs."""

    comparison: str
    level: int
    label: str
    m: float
    u: float

    @property
    def weight(self) -> float:
        return math.log2(self.m / self.u)


def read_parameters(model: str, file: Path = FILE) -> list[Parameter]:
    """What the seed holds for that model; empty before its first training."""
    with file.open(newline="", encoding="utf-8") as lines:
        return [
            Parameter(
                row["comparison"], int(row["level"]), row["label"],
                float(row["m_probability"]), float(row["u_probability"]),
            )
            for row in csv.DictReader(lines)
            if row["model"] == model
        ]  # fmt: skip


def rows_of(model: str, parameters: Iterable[Parameter]) -> list[tuple[str, str, int, str, str, str, str]]:
    """As the seed writes them: nine decimals, so that every engine adds the same numbers."""
    return [
        (model, one.comparison, one.level, one.label, f"{one.m:.9g}", f"{one.u:.9g}", f"{one.weight:.9f}")
        for one in parameters
    ]


def write_parameters(model: str, parameters: Iterable[Parameter], file: Path = FILE) -> None:
    """Replace that model's rows; those of other models stay."""
    with file.open(newline="", encoding="utf-8") as lines:
        others = [row for row in csv.reader(lines) if row[0] not in (model, COLUMNS[0])]
    rows: list[tuple[object, ...]] = [*(tuple(other) for other in others), *rows_of(model, parameters)]
    rows.sort(key=lambda row: str(row[0]))
    with file.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
