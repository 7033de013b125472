"""Landing the log as it grows: a micro-batch of lines into raw, in the transaction of whoever has the warehouse.

What lies in raw afterwards is what a load would have put there: the same rows with the same ids, with their account.
One load takes an hour's batches, or the books would grow by a row for each; its rows land in the order of `_landed_at`.
Which line comes next is a row of raw, so it commits with the rows, and loads go on from it.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from sources.changes import Account, changes_table, loads_table
from sources.configuration import Configuration
from sources.conform import empty, engine
from sources.landing import Landing
from sources.log import clock
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
LONGEST_LOAD = 3_600.0  # seconds


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
    opened: float = 0.0  # the moment that names the load
    is_open: bool = False  # whether it takes the next batch
    landed_at: datetime = datetime.min  # noqa: DTZ901 - naive UTC, as all of raw
    closed: int = 0  # how many want each batch to be a load of its own now

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
        self.landed_at = max(self.configuration.clock(), self.landed_at + timedelta(microseconds=1))
        landing = Landing(source, self.landed_at)
        landing.using = self.using
        rows: list[pa.Table] = []
        for piece in slices:
            lines, names = self.shapes[lane].rows(piece.lines())
            times = clock.read(Path(self.configuration.log) / lane, piece.segment)
            landed = landing.lines(table, f"log/{lane}/{piece.segment}", lines, names)
            rows += [with_stored(part, times) for part in landed]
        count = sum(part.num_rows for part in rows)
        size = sum(len(piece.data) for piece in slices)
        return Prepared(source, table, lane, rows, landing.account, landing.landed_at, after, count, size)

    def land(self, prepared: Sequence[Prepared], connection: duckdb.DuckDBPyConnection) -> str:
        """Append to raw, in the transaction that is open. Gives the load's id."""
        load_id = self.load_id()
        for batch in prepared:
            self.land_one(batch, load_id, connection)
        if prepared:
            booked(connection, load_id)
        return load_id

    def load_id(self) -> str:
        if self.closed or not self.is_open or time.time() >= self.opened + LONGEST_LOAD:
            self.opened, self.is_open = max(time.time(), self.opened + 0.000_001), True
        return f"{self.opened:.6f}"

    @contextmanager
    def loads_apart(self) -> Iterator[None]:
        """While loads are judged each batch is a load of its own: what was judged never grows."""
        self.closed += 1
        try:
            yield
        finally:
            self.is_open = False
            self.closed -= 1

    def land_one(self, batch: Prepared, load_id: str, connection: duckdb.DuckDBPyConnection) -> None:
        for rows in batch.rows:
            append(connection, batch.source.raw_name(batch.table), rows, load_id)
        at, name = batch.landed_at, batch.source.name
        account(connection, loads_table(batch.account, name, load_id, at), load_id)
        append(connection, "schema_changes", changes_table(batch.account, name, at), load_id)
        table = batch.source.raw_name(batch.table)
        connection.execute(f"delete from raw.{POSITIONS} where table_name = ?", [table])
        connection.execute(f"insert into raw.{POSITIONS} values (?, ?)", [table, json.dumps(batch.position)])

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


def with_stored(rows: pa.Table, times: clock.Times) -> pa.Table:
    """Say of each row when its line was on disk, for who measures."""
    moments = clock.stored_at(times, rows["_row_number"].to_numpy())
    return rows.append_column("_stored_at", pa.array(moments, pa.timestamp("us")))


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


def booked(connection: duckdb.DuckDBPyConnection, load_id: str) -> None:
    """Commit the load, or, if it was committed before, say that it has grown."""
    grown = connection.execute("update raw._dlt_loads set inserted_at = now() where load_id = ?", [load_id])
    if grown.fetchall() == [(0,)]:
        connection.execute(
            "insert into raw._dlt_loads (load_id, schema_name, status, inserted_at) values (?, ?, 0, now())",
            [load_id, NAMED],
        )


def account(connection: duckdb.DuckDBPyConnection, rows: pa.Table, load_id: str) -> None:
    """Add to what this load has reported of the same file."""
    new = []
    for row in rows.to_pylist():
        added = connection.execute(
            "update raw.loads set accepted_count = accepted_count + ?, _landed_at = ? "
            "where load_id = ? and connector = ? and table_name = ? and source_file = ?",
            [row[name] for name in (
                "accepted_count", "_landed_at", "load_id", "connector", "table_name", "source_file",
            )],
        )  # fmt: skip
        if added.fetchall() == [(0,)]:
            new.append(row)
    append(connection, "loads", pa.Table.from_pylist(new, rows.schema), load_id)


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
