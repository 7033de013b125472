"""Records to learn from, out of the warehouse into memory."""

import csv
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa

from dagster_cdp.matching.model import MatchModel
from dagster_cdp.matching.report import Thresholds
from dagster_cdp.matching.training import NothingToLearn
from dagster_cdp.warehouse import connect
from reverse_etl.warehouse import Row

THRESHOLDS = Path(__file__).parents[2] / "dbt_project" / "seeds" / "match_thresholds.csv"

# Splink learns no better from more; records are taken by their key, a hash, so the choice is always the same.
MOST_RECORDS = 1_000_000
FEWEST_RECORDS = 200


def read_records(model: MatchModel) -> duckdb.DuckDBPyConnection:
    """A connection whose table `records` holds those of the model; raises `NothingToLearn` when there are too few."""
    schema, table = model.table.split(".")
    with connect("reading records to match") as warehouse:
        columns = warehouse.execute(
            "select column_name, data_type from information_schema.columns where table_schema = ? and table_name = ?"
            " order by ordinal_position",
            [schema, table],
        )
        if not columns:
            raise NothingToLearn(f"{model.table} is not in the warehouse yet: run `cdp run` first")
        names = ", ".join(str(name) for name, _ in columns)
        rows = warehouse.execute(
            f"select {names} from {model.table} where {model.only} order by {model.key} limit {MOST_RECORDS}"
        )
    if len(rows) < FEWEST_RECORDS:
        raise NothingToLearn(f"{model.table} has {len(rows)} records; fewer than {FEWEST_RECORDS} teach nothing")
    return _in_memory(columns, rows)


def _in_memory(columns: list[Row], rows: list[Row]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    typed = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in columns)
    told = pa.table(
        {str(name): list(values) for (name, _), values in zip(columns, zip(*rows, strict=True), strict=True)}
    )
    connection.register("told", told)
    connection.execute(f"create table records as select {typed} from told")
    connection.unregister("told")
    return connection


def read_thresholds(model: MatchModel) -> Thresholds:
    """From the seed `match_thresholds`."""
    with THRESHOLDS.open(newline="", encoding="utf-8") as lines:
        found = next(row for row in csv.DictReader(lines) if row["model"] == model.name)
    return Thresholds(Decimal(found["auto_score"]), Decimal(found["review_score"]))
