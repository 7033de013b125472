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
class MatchModel:
    """A model to train. `sure` are rules that are nearly always right, and `sure_recall` the share of true pairs
    they find; `sessions` are rules whose pairs are mostly true: each teaches what it doesn't name itself.
    """

    name: str
    records: str
    key: str
    comparisons: tuple[Comparison, ...]
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
    return MatchModel(
        name="person",
        records="select * from identity.person_records where not is_withdrawn",
        key="record_key",
        comparisons=comparisons_of(project_macros(dialect).person_comparisons()),
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
    return MatchModel(
        name="device",
        records=(
            "select * from (select records.*, row_number() over (partition by node_id order by event_count desc,"
            " record_key) as place from identity.device_records as records) as placed where place = 1"
        ),
        key="record_key",
        comparisons=comparisons_of(project_macros(dialect).device_comparisons()),
        sure=("l.ip_prefix = r.ip_prefix and l.user_agent = r.user_agent and l.screen_size = r.screen_size",),
        sure_recall=0.9,
        sessions=(("ip_prefix",), ("user_agent", "screen_size")),
    )


MODELS = {"person": person_model, "device": device_model}
