"""The warehouse's own scoring, run on records in memory: for reports and for measuring, with the project's macros."""

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

from dagster_cdp.matching.macros import project_macros
from dagster_cdp.matching.model import Comparison, MatchModel
from dagster_cdp.matching.parameters import COLUMNS, Parameter, rows_of

PARAMETERS = "(model text, comparison text, level integer, label text, m_probability text, u_probability text,"
PARAMETERS += " match_weight decimal(18, 9))"


def score(
    connection: duckdb.DuckDBPyConnection, model: MatchModel, parameters: Iterable[Parameter], records: str = "records"
) -> None:
    """Write the table `scored`: every candidate pair of the table `records` with levels, match_weight and score."""
    connection.execute(f"create or replace temp table keyed as {_numbered(connection, records, model.key)}")
    blocks = [(block.name, block.key, block.most) for block in model.blocks]
    connection.execute(f"create or replace temp table paired as {project_macros().match_pairs('keyed', blocks)}")
    score_pairs(connection, model, parameters, "paired", "keyed")


def score_pairs(
    connection: duckdb.DuckDBPyConnection,
    model: MatchModel,
    parameters: Iterable[Parameter],
    pairs: str,
    records: str = "records",
) -> None:
    """Write the table `scored` of the given pairs (left_record_key, right_record_key, …)."""
    connection.execute(f"create or replace temp table parameters {PARAMETERS}")
    connection.executemany(
        f"insert into parameters values ({', '.join('?' for _ in COLUMNS)})", rows_of(model.name, parameters)
    )
    columns = [str(name) for (name, *_) in connection.execute(f"describe {records}").fetchall()]
    sides = ", ".join(f"one.{name} as {name}_l, other.{name} as {name}_r" for name in columns)
    connection.execute(f"""
        create or replace temp view pairs as
        select pairs.*, {sides} from {pairs} as pairs
        inner join {records} as one on pairs.left_record_key = one.{model.key}
        inner join {records} as other on pairs.right_record_key = other.{model.key}
    """)
    macros = project_macros()
    weighed = macros.match_weights("pairs", _declared(model.comparisons), "parameters", model.name)
    probability = macros.cdp_probability("match_weight")
    connection.execute(f"create or replace temp table scored as select *, {probability} as score from ({weighed})")


def _numbered(connection: duckdb.DuckDBPyConnection, records: str, key: str) -> str:
    """What `match_pairs` asks of records; those that lack plumbing have landed together."""
    there = {name for (name, *_) in connection.execute(f"describe {records}").fetchall()}
    lacking = {
        "record_key": f"cast({key} as text)", "_batch": "1", "is_new": "true", "_landed_at": "timestamp '2000-01-01'",
        "node_id": f"row_number() over (order by {key})",
    }  # fmt: skip
    added = [f"{value} as {name}" for name, value in lacking.items() if name not in there]
    return f"select {', '.join(['*', *added])} from {records}"


def _declared(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    return [
        {"name": one.name, "unknown": one.unknown, "levels": [(level.label, level.condition) for level in one.levels]}
        for one in comparisons
    ]
