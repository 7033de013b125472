"""What is trained: which records, how they are compared, and where training looks for people it can be sure of."""

from dataclasses import dataclass
from typing import Any

from dagster_cdp.matching.macros import project_macros


@dataclass(frozen=True)
class Level:
    """One degree of likeness; `condition` is SQL over <column>_l and <column>_r."""

    label: str
    condition: str


@dataclass(frozen=True)
class Comparison:
    """Levels from best to worst; what is in none of them is level 0, `unknown` is level -1."""

    name: str
    unknown: str
    levels: tuple[Level, ...]

    @property
    def labels(self) -> dict[int, str]:
        best = len(self.levels)
        return {best - place: level.label for place, level in enumerate(self.levels)} | {0: "anything else"}


@dataclass(frozen=True)
class Block:
    """Records with the same `key` (SQL) are compared, the first `most` of them to land."""

    name: str
    key: str
    most: int


@dataclass(frozen=True)
class MatchModel:
    """A model to train.

    `sure` are rules that are nearly always right, and `sure_recall` the share of true pairs
    they find; `sessions` are rules whose pairs are mostly true: each teaches what it doesn't name itself.
    """

    name: str
    table: str
    only: str
    key: str
    comparisons: tuple[Comparison, ...]
    blocks: tuple[Block, ...]
    sure: tuple[str, ...]
    sure_recall: float
    sessions: tuple[tuple[str, ...], ...]


def comparisons_of(declared: list[dict[str, Any]]) -> tuple[Comparison, ...]:
    """What a `…_comparisons` macro of the dbt project returns."""
    return tuple(
        Comparison(one["name"], one["unknown"], tuple(Level(label, sql) for label, sql in one["levels"]))
        for one in declared
    )


def person_model(dialect: str = "duckdb") -> MatchModel:
    """Records of people: CRM contacts, loyalty members, web orders, support users."""
    macros = project_macros(dialect)
    return MatchModel(
        name="person",
        table="identity.person_records",
        only="not is_withdrawn",
        key="record_key",
        comparisons=comparisons_of(macros.person_comparisons()),
        blocks=tuple(Block(*block) for block in macros.person_blocks()),
        sure=(
            "l.email = r.email and l.last_name = r.last_name",
            "l.last_name = r.last_name and l.first_name = r.first_name and l.birth_on = r.birth_on",
            "l.last_name = r.last_name and l.address_line = r.address_line and l.postal_code = r.postal_code",
        ),
        sure_recall=0.9,
        sessions=(("email",), ("last_name", "birth_on"), ("address_line", "postal_code")),
    )


def device_model(dialect: str = "duckdb") -> MatchModel:
    """Cookies, each on the network where it was seen most."""
    macros = project_macros(dialect)
    return MatchModel(
        name="device",
        table="identity.device_records",
        only="is_main",
        key="record_key",
        comparisons=comparisons_of(macros.device_comparisons()),
        blocks=(Block("network", "ip_prefix", 20), Block("device", "user_agent || screen_size", 50)),
        sure=("l.ip_prefix = r.ip_prefix and l.user_agent = r.user_agent and l.screen_size = r.screen_size",),
        sure_recall=0.9,
        sessions=(("ip_prefix",), ("user_agent", "screen_size")),
    )


MODELS = {"person": person_model, "device": device_model}
