"""What the collector wrote: the lane of the log that is named after the table, beside the source's own origin.

How far was read travels in the state of the load package, so rows and position commit together: a load that is
killed anywhere is finished or begun again from the same line. A row's id is its segment and offset.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import dlt
import pyarrow as pa

from sources.configuration import Configuration
from sources.conform import hints
from sources.landing import Landing
from sources.log.followers import Followers
from sources.log.opening import WAREHOUSE, log_reader
from sources.log.reader import Position, Reads
from sources.origins.envelope import Shape
from sources.source import Source, Table

PAGE = 32 << 20  # bytes of the log in memory at once
LANES = {("collector", "refusals"): "quarantine"}


@dataclass(frozen=True)
class Log:
    """The lanes of one source."""

    source: Source
    configuration: Configuration

    def is_idle(self, tables: Sequence[Table], state: Mapping[str, Any]) -> bool:
        """Read at most a line: what lies behind the position may be nothing but a torn end."""
        return not any(self.reader.slices(self.lane(table), self.position(table, state), 1)[0] for table in tables)

    def resource(self, table: Table, landing: Landing, state: Mapping[str, Any]) -> Any:
        return dlt.resource(
            self.read(table, landing, self.position(table, state)),
            name=self.name(table),
            table_name=self.source.raw_name(table),
            columns=hints(table),
            write_disposition="append",
        )

    def read(self, table: Table, landing: Landing, position: Position) -> Iterator[pa.Table]:
        """Yield what was written up to now, in pages; the last position is remembered in the commit of the rows."""
        shape, lane = Shape(table), self.lane(table)
        remembered = dlt.current.resource_state()
        end = self.reader.end(lane)  # a log that grows faster than it is read must not hold a load for ever
        while not self.reader.has_passed(position, end):
            slices, position = self.reader.slices(lane, position, PAGE)
            if not slices:
                break
            for piece in slices:
                rows, names = shape.rows(piece.lines())
                yield from landing.lines(table, f"log/{lane}/{piece.segment}", rows, names)
            remembered["position"] = position

    def done(self, tables: Sequence[Table], state: Mapping[str, Any]) -> None:
        """Say what is committed and may be deleted one day."""
        if self.configuration.log_address:  # what is shipped is kept as long as its place says
            return
        for table in tables:
            if position := self.position(table, state):
                self.followers.say(WAREHOUSE, self.lane(table), position)

    def position(self, table: Table, state: Mapping[str, Any]) -> Position:
        """Return how far this table is, as the state says."""
        return dict(state.get(self.name(table), {}).get("position", {}))

    def later(self, one: Position, other: Position) -> Position:
        """Return the position that is further on; whoever lands the log goes on where another ended."""
        return one if self.reader.has_passed(one, other) else other

    def name(self, table: Table) -> str:
        """Say what dlt keeps the position under."""
        return f"{self.source.raw_name(table)}__log"

    def lane(self, table: Table) -> str:
        return LANES.get((self.source.name, table.name), f"{self.source.name}.{table.name}")

    @cached_property
    def reader(self) -> Reads:
        return log_reader(self.configuration)

    @cached_property
    def followers(self) -> Followers:
        return Followers(self.configuration.log)
