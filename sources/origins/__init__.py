"""Where a source is read from: a folder of files, an SQL database, or an HTTP interface; and always the log.

dlt's own configuration chooses: `[sources.<connector>] origin = "folder"` in `.dlt/config.toml`,
or the variable `SOURCES__<CONNECTOR>__ORIGIN`.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol

import dlt

from sources.configuration import Configuration
from sources.landing import Landing
from sources.refusals import BadConfiguration
from sources.source import Source, Table

ORIGINS = ("folder", "database", "api")  # modules of this package; the first is the default


class Origin(Protocol):
    """Reads what is new since the state says, and only that."""

    def is_idle(self, tables: Sequence[Table], state: Mapping[str, Any]) -> bool:
        """Whether it is certain, without reading any row, that there is nothing new."""

    def resource(self, table: Table, landing: Landing, state: Mapping[str, Any]) -> Any:
        """Return the dlt resource that lands the table's new rows as Arrow tables."""


def origin_of(source: Source, configuration: Configuration) -> Origin:
    """Return the origin the configuration names for this source. Raises BadConfiguration."""
    kind = dlt.config.get(f"sources.{source.name}.origin", str) or ORIGINS[0]
    if kind not in ORIGINS:
        raise BadConfiguration(
            f"sources.{source.name}.origin is {kind!r}; set it to {', '.join(ORIGINS)} "
            f"in .dlt/config.toml or SOURCES__{source.name.upper()}__ORIGIN"
        )
    # imported when asked for: database and api bring libraries that take longer than a load without news
    origin: Origin = import_module(f"{__name__}.{kind}").ORIGIN(source, configuration)
    return origin
