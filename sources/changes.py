"""What arrived other than declared, counted per file and reported with the load."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import pyarrow as pa


class Change(StrEnum):
    NEW = "new"  # a column nobody declared; kept as text
    RETYPED = "retyped"  # values their type can't hold; kept in a variant column
    MISSING = "missing"  # a declared column that no row has


@dataclass(frozen=True)
class Observed:
    """Counts over some rows: how many rows there were, and how many show each change."""

    row_count: int
    changes: dict[tuple[str, Change], int]


@dataclass(frozen=True)
class SchemaChange:
    """One line of `raw.schema_changes`: names and counts, never values."""

    table: str
    column: str
    change: Change
    file: str
    row_count: int

    def sentence(self) -> str:
        where = self.file or "pages"
        return f"{self.table}.{self.column}: {self.change} in {where} ({self.row_count} rows)"


@dataclass
class Account:
    """What one run accepted: rows and changes per table and file."""

    accepted: Counter[tuple[str, str]] = field(default_factory=Counter)
    counted: Counter[tuple[str, str, str, Change]] = field(default_factory=Counter)

    def add(self, table: str, file: str, observed: Observed) -> None:
        self.accepted[table, file] += observed.row_count
        for (column, change), count in observed.changes.items():
            self.counted[table, file, column, change] += count

    def changes(self) -> list[SchemaChange]:
        """List them; a column is missing from a file only if no page of it had the column."""
        return [
            SchemaChange(table, column, change, file, count)
            for (table, file, column, change), count in sorted(self.counted.items())
            if change is not Change.MISSING or count == self.accepted[table, file]
        ]

    def rows(self) -> dict[str, int]:
        """Count the accepted rows per table."""
        totals: Counter[str] = Counter()
        for (table, _), count in self.accepted.items():
            totals[table] += count
        return dict(totals)


LOADS = pa.schema(
    [
        ("connector", pa.string()),
        ("table_name", pa.string()),
        ("load_id", pa.string()),
        ("source_file", pa.string()),
        ("accepted_count", pa.int64()),
        ("_landed_at", pa.timestamp("us")),
    ]
)
SCHEMA_CHANGES = pa.schema(
    [
        ("connector", pa.string()),
        ("table_name", pa.string()),
        ("column_name", pa.string()),
        ("change", pa.string()),
        ("source_file", pa.string()),
        ("row_count", pa.int64()),
        ("_landed_at", pa.timestamp("us")),
    ]
)


def loads_table(account: Account, connector: str, load_id: str, landed_at: datetime) -> pa.Table:
    """Build the rows of `raw.loads` for one run."""
    rows = [
        (connector, table, load_id, file, count, landed_at) for (table, file), count in sorted(account.accepted.items())
    ]
    return as_table(rows, LOADS)


def changes_table(account: Account, connector: str, landed_at: datetime) -> pa.Table:
    """Build the rows of `raw.schema_changes` for one run."""
    rows = [(connector, c.table, c.column, c.change.value, c.file, c.row_count, landed_at) for c in account.changes()]
    return as_table(rows, SCHEMA_CHANGES)


def as_table(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.table([pa.array(c, field.type) for c, field in zip(columns, schema, strict=True)], schema=schema)
