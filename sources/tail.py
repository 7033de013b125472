"""Landing the log as it grows: a micro-batch of lines into raw, in the transaction of whoever has the warehouse.

What lies in raw afterwards is what a load would have put there: the same rows with the same ids, in a load of its
own, with its account. Which line comes next is a row of raw, so it commits with the rows, and loads go on from it.
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from sources.changes import Account, changes_table, loads_table
from sources.configuration import Configuration
from sources.conform import empty, engine
from sources.landing import Landing
from sources.log.followers import Followers
from sources.log.opening import WAREHOUSE, log_reader
from sources.log.reader import Position, Reader, Slice
from sources.names import literal, quoted
from sources.origins.envelope import Shape
from sources.origins.log import Log
from sources.source import Source, Table
from sources.standing import POSITIONS, state_in

NAMED = "live"  # in raw._dlt_loads, where loads of dlt have their pipeline's name
INCOMING = "_incoming"


@dataclass(frozen=True)
class Prepared:
    """Rows of one table, conformed, and the position behind them."""

    source: Source
    table: Table
    lane: str
    rows: Sequence[pa.Table]
    account: Account
    landed_at: datetime
    position: Position
    line_count: int
    byte_count: int


@dataclass
class Tail:
    """The lanes of the log and how far each has been landed."""

    configuration: Configuration
    sources: Sequence[Source]
    positions: dict[str, Position] = field(default_factory=dict)
    last_load: float = 0.0

    def __post_init__(self) -> None:
        self.reader = log_reader(self.configuration)
        self.followers = Followers(Path(self.configuration.log))
        self.lanes = {Log(s, self.configuration).lane(t): (s, t) for s in self.sources for t in s.tables}
        self.shapes = {lane: Shape(table) for lane, (_, table) in self.lanes.items()}
        self.using = engine()

    def open(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Find out where landing goes on: after what loads and earlier owners have put into raw."""
        connection.execute(f"create table if not exists raw.{POSITIONS} (table_name varchar, position varchar)")
        said = dict(rows_of(connection, f"select table_name, position from raw.{POSITIONS}"))
        states = {source.name: state_in(source.name, lambda sql: rows_of(connection, sql)) for source in self.sources}
        for lane, (source, table) in self.lanes.items():
            name = source.raw_name(table)
            create(connection, name, empty(table, self.using))
            log = Log(source, self.configuration)
            loaded = log.position(table, states[source.name])
            self.positions[lane] = log.later(json.loads(said.get(name, "{}")), loaded)

    def prepare(self, limit: int, behind: Iterable[Prepared] = ()) -> list[Prepared]:
        """Read and conform what is new, about `limit` bytes of each lane. Touches no warehouse.

        What comes after `behind` can be prepared while that is landed.
        """
        found, positions = [], {**self.positions, **{batch.lane: batch.position for batch in behind}}
        for lane in self.lanes:
            slices, after = self.reader.slices(lane, positions.get(lane, {}), limit)
            if slices:
                found.append(self.conformed(lane, slices, after))
        return found

    def conformed(self, lane: str, slices: Sequence[Slice], after: Position) -> Prepared:
        source, table = self.lanes[lane]
        landing = Landing(source, self.configuration.clock())
        landing.using = self.using
        rows: list[pa.Table] = []
        for piece in slices:
            lines, names = self.shapes[lane].rows(piece.lines())
            rows += landing.lines(table, f"log/{lane}/{piece.segment}", lines, names)
        count = sum(part.num_rows for part in rows)
        size = sum(len(piece.data) for piece in slices)
        return Prepared(source, table, lane, rows, landing.account, landing.landed_at, after, count, size)

    def land(self, prepared: Iterable[Prepared], connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Append to raw, in the transaction that is open. Gives the load ids."""
        return [self.land_one(batch, connection) for batch in prepared]

    def land_one(self, batch: Prepared, connection: duckdb.DuckDBPyConnection) -> str:
        self.last_load = max(time.time(), self.last_load + 0.000_001)
        load_id = f"{self.last_load:.6f}"
        for rows in batch.rows:
            append(connection, batch.source.raw_name(batch.table), rows, load_id)
        at, name = batch.landed_at, batch.source.name
        append(connection, "loads", loads_table(batch.account, name, load_id, at), load_id)
        append(connection, "schema_changes", changes_table(batch.account, name, at), load_id)
        connection.execute(
            "insert into raw._dlt_loads (load_id, schema_name, status, inserted_at) values (?, ?, 0, now())",
            [load_id, NAMED],
        )
        table = batch.source.raw_name(batch.table)
        connection.execute(f"delete from raw.{POSITIONS} where table_name = ?", [table])
        connection.execute(f"insert into raw.{POSITIONS} values (?, ?)", [table, json.dumps(batch.position)])
        return load_id

    def committed(self, prepared: Iterable[Prepared]) -> None:
        """Go on behind these rows, and let the log know that they will never be read again."""
        for batch in prepared:
            self.positions[batch.lane] = batch.position
            if not self.configuration.log_address:  # as loading does
                with suppress(OSError):  # only keeps segments longer
                    self.followers.say(WAREHOUSE, batch.lane, batch.position)

    def lag_bytes(self) -> int:
        """How much lies in the log that is not landed; a broker doesn't say."""
        if not isinstance(self.reader, Reader):
            return 0
        return sum(self.reader.lag(lane, self.positions.get(lane, {})) for lane in self.lanes)


def append(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table, load_id: str) -> None:
    """Insert Arrow rows by column name; a column that raw doesn't have yet is added."""
    if not rows.num_rows:
        return
    connection.register(INCOMING, rows)
    try:
        add_columns(connection, name, rows)
        names = ", ".join(quoted(column) for column in rows.column_names)
        connection.execute(
            f"insert into raw.{name} ({names}, _dlt_load_id) select {names}, {literal(load_id)} from {INCOMING}"
        )
    finally:
        connection.unregister(INCOMING)


def create(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    """Make a table of raw that no load has made yet."""
    connection.register(INCOMING, rows)
    connection.execute(f"create table if not exists raw.{name} as select *, '' as _dlt_load_id from {INCOMING} limit 0")
    connection.unregister(INCOMING)


def add_columns(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    there = {row[0] for row in rows_of(connection, f"describe raw.{name}")}
    if new := [column for column in rows.column_names if column not in there]:
        types: Mapping[str, str] = {row[0]: row[1] for row in rows_of(connection, f"describe {INCOMING}")}
        for column in new:
            connection.execute(f"alter table raw.{name} add column {quoted(column)} {types[column]}")


def rows_of(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()
