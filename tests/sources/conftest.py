"""A small shop outside, an empty warehouse, and the words the tests of loading are written in."""

import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

with warnings.catch_warnings():
    # sqlglot's faster tokenizer was renamed; dlt imports whichever is there
    warnings.simplefilter("ignore", DeprecationWarning)
    import dlt  # noqa: F401

from sources.configuration import read_configuration
from sources.pipeline import LoadReport, load
from sources.source import Source, Table, email, integer, moment, money, person_name, phone, text

CUSTOMERS = Table(
    "customers",
    key=("id",),
    description="One row per customer.",
    columns=(
        text("id"),
        person_name("name"),
        email("email"),
        phone("phone"),
        money("balance"),
        integer("visits"),
        moment("joined_at"),
    ),
)
VISITS = Table("visits", key=("id",), description="One row per visit.", columns=(text("id"), text("page")))
SHOP = Source("A shop.", "shop@example.com", "0 * * * *", (CUSTOMERS, VISITS), name="shop")


@dataclass(frozen=True)
class Town:
    """One inbox and one warehouse."""

    home: Path

    def drop(self, name: str, content: str | bytes) -> Path:
        """Put a file in the inbox, whole at once, as a supplier should."""
        path = self.home / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def drop_rows(self, name: str, *rows: dict[str, object]) -> Path:
        return self.drop(name, "".join(json.dumps(row) + "\n" for row in rows))

    def load(self, source: Source = SHOP, tables: list[str] | None = None) -> LoadReport:
        return load(source, tables, read_configuration())

    def rows(self, query: str) -> list[tuple]:
        with duckdb.connect(str(self.home / "warehouse.duckdb"), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def change(self, statement: str) -> None:
        with duckdb.connect(str(self.home / "warehouse.duckdb")) as connection:
            connection.execute(statement)

    def customers(self) -> list[str]:
        return [name for (name,) in self.rows("select id from raw.shop__customers order by id")]

    def everything(self) -> dict[str, list[tuple]]:
        """All of raw, to compare before and after."""
        tables = self.rows("select table_name from information_schema.tables where table_schema = 'raw' order by 1")
        return {name: sorted(self.rows(f"select * from raw.{name}"), key=repr) for (name,) in tables}


@pytest.fixture
def town(cdp_home):
    return Town(cdp_home)
