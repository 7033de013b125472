"""Tables of an SQL database, through SQLAlchemy.

`[sources.<connector>.database.tables.<table>]` holds `name`, `schema` and `cursor` of the table there;
without `cursor` all of it is read each time. The address is a secret: `SOURCES__<CONNECTOR>__DATABASE__URL`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dlt
from dlt.sources.sql_database import sql_table
from sqlalchemy import Date, DateTime, String
from sqlalchemy.exc import NoSuchTableError

from sources.configuration import Configuration
from sources.landing import Landing
from sources.origins.pages import landed, pages_name, settings_of
from sources.refusals import BadConfiguration
from sources.source import Source, Table

PAGE = 50_000  # rows


@dataclass(frozen=True)
class Database:
    """The database behind one source."""

    source: Source
    configuration: Configuration

    def is_idle(self, tables: Sequence[Table], state: Mapping[str, Any]) -> bool:  # noqa: ARG002 - as declared
        return False  # only asking tells

    def resource(self, table: Table, landing: Landing, state: Mapping[str, Any]) -> Any:  # noqa: ARG002
        there = settings_of(self.source, "database", "tables").get(table.name, {})
        try:
            pages = sql_table(
                credentials=self.address,
                table=there.get("name", table.name),
                schema=there.get("schema"),
                incremental=cursor(there.get("cursor")),
                chunk_size=PAGE,
                reflection_level="minimal",
                table_adapter_callback=moments_as_written if self.address.startswith("sqlite") else None,
            )
        except NoSuchTableError as missing:
            key = f"sources.{self.source.name}.database.tables.{table.name}"
            raise BadConfiguration(f"the database has no table {missing}; name it in [{key}]") from None
        return landed(pages.with_name(pages_name(self.source, table)), self.source, table, landing)

    @property
    def address(self) -> str:
        key = f"sources.{self.source.name}.database.url"
        if not (address := dlt.secrets.get(key, str)):
            variable = key.upper().replace(".", "__")
            raise BadConfiguration(f"set {variable} to the database's SQLAlchemy address; {key} is empty")
        return str(address)


def moments_as_written(table: Any) -> None:
    """Leave SQLite's moments the text they are: '10:00:00' sorts before the '10:00:00.000000' asked for."""
    for column in table.columns:
        if isinstance(column.type, DateTime | Date):
            column.type = String()


def cursor(column: str | None) -> Any:
    """Return dlt's cursor on a column, or null to read the whole table each time.

    Inclusive: rows that share the newest value are read again, and dlt leaves out those it has seen.
    """
    return dlt.sources.incremental(column, on_cursor_value_missing="include") if column else None


ORIGIN = Database
