"""Where a source is read from: a folder of files, an SQL database, or an HTTP interface.

dlt's own configuration chooses: `[sources.<connector>] origin = "folder"` in `.dlt/config.toml`,
or the variable `SOURCES__<CONNECTOR>__ORIGIN`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import dlt

from sources.configuration import BadConfiguration, Configuration
from sources.landing import Landing
from sources.source import Source, Table


class Origin(Protocol):
    """Reads what is new since the state says, and only that."""

    def is_idle(self, tables: Sequence[Table], state: Mapping[str, Any]) -> bool:
        """Whether it is certain, without reading any row, that there is nothing new."""

    def resource(self, table: Table, landing: Landing, state: Mapping[str, Any]) -> Any:
        """The dlt resource that lands the table's new rows as Arrow tables."""


def origin_of(source: Source, configuration: Configuration) -> Origin:
    """The origin the configuration names for this source. Raises BadConfiguration."""
    kind = dlt.config.get(f"sources.{source.name}.origin", str) or "folder"
    if kind == "folder":
        from sources.origins.folder import Folder

        return Folder(source, configuration)
    if kind == "database":
        from sources.origins.database import Database

        return Database(source)
    if kind == "api":
        from sources.origins.api import Api

        return Api(source)
    raise BadConfiguration(
        f"sources.{source.name}.origin is {kind!r}; set it to folder, database or api "
        f"in .dlt/config.toml or SOURCES__{source.name.upper()}__ORIGIN"
    )
