"""A table elsewhere, in PostgreSQL or DuckDB, that follows an audience: upserts and removals by key, all or nothing.

The table is made when there is none, and columns that are mapped later are added; it needs a unique key over the
columns that find a member. `_synced_at` says when a row last changed, `_removed_at` when its member left.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from reverse_etl.columns import Columns
from reverse_etl.database import LOST, Engine, Failed, open_engine
from reverse_etl.environment import now
from reverse_etl.warehouse import quoted

__all__ = ["LOST", "REMOVED", "SYNCED", "Failed", "Link", "TargetTable"]

SYNCED, REMOVED = "_synced_at", "_removed_at"
BATCH = "cdp_batch"  # a temporary table; rows have one statement's way in, whatever their number


@dataclass(frozen=True, slots=True)
class TargetTable:
    engine: Engine
    name: tuple[str, str]  # schema and table
    columns: Columns
    flags: bool  # removals empty and mark the row instead of deleting it

    def create(self) -> None:
        """Make what is missing of schema, table and columns."""
        run, types = self.engine.warehouse.execute, self.engine.types
        columns = {name: types[kind] for name, kind in self.columns.types.items()}
        columns |= {SYNCED: types["timestamp"], REMOVED: types["timestamp"]}
        listed = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
        key = ", ".join(map(quoted, self.columns.keys))
        if not self._columns_there():
            run(f"create schema if not exists {quoted(self.name[0])}")
            run(f"create table if not exists {self._table} ({listed}, primary key ({key}))")
        there = self._columns_there()
        for name, kind in columns.items():
            if name not in there:
                run(f"alter table {self._table} add column {quoted(name)} {kind}")
        texts = ", ".join(f"{quoted(name)} {types['text']}" for name in self.columns.names)
        run(f"create temporary table {BATCH} ({texts})")

    def apply(self, removals: Sequence[Sequence[str | None]], rows: Sequence[Sequence[str | None]]) -> None:
        """Remove and upsert rows of values in one transaction; of a key the last row stands."""
        with self.engine.warehouse.transaction():
            if self._load(removals):
                self._remove()
            if self._load(rows):
                self._upsert()

    def keys_after(self, last: Sequence[str] | None, limit: int) -> list[list[str]]:
        """Give a page of what finds the members that are there, as text."""
        keys = ", ".join(map(quoted, self.columns.keys))
        texts = ", ".join(f"cast({quoted(key)} as {self.engine.types['text']})" for key in self.columns.keys)
        start = ", ".join(f"cast(? as {self.engine.types[self.columns.types[key]]})" for key in self.columns.keys)
        after = f" and ({keys}) > ({start})" if last else ""
        sql = f"select {texts} from {self._table} where {REMOVED} is null{after} order by {keys} limit {limit}"
        return [list(row) for row in self.engine.warehouse.execute(sql, last or ())]

    def _load(self, rows: Sequence[Sequence[str | None]]) -> bool:
        places = [self.columns.names.index(key) for key in self.columns.keys]
        last = {tuple(row[place] for place in places): row for row in rows}
        self.engine.warehouse.execute(f"delete from {BATCH}")
        self.engine.warehouse.insert(BATCH, self.columns.names, list(last.values()))
        return bool(last)

    def _remove(self) -> None:
        matches = " and ".join(f"target.{quoted(key)} = {self._cast(key)}" for key in self.columns.keys)
        if not self.flags:
            self.engine.warehouse.execute(f"delete from {self._table} as target using {BATCH} as batch where {matches}")
            return
        emptied = "".join(f", {quoted(name)} = null" for name in self._others)
        self.engine.warehouse.execute(
            f"update {self._table} as target set {SYNCED} = ?, {REMOVED} = ?{emptied} from {BATCH} as batch "
            f"where {matches} and target.{REMOVED} is null",
            [now(), now()],
        )

    def _upsert(self) -> None:
        names = ", ".join(map(quoted, self.columns.names))
        values = ", ".join(map(self._cast, self.columns.names))
        new = {
            name: f"coalesce(excluded.{quoted(name)}, target.{quoted(name)})"
            if name in self.columns.kept
            else f"excluded.{quoted(name)}"
            for name in self._others
        }
        assigned = "".join(f", {quoted(name)} = {value}" for name, value in new.items())
        differs = "".join(f" or target.{quoted(name)} is distinct from {value}" for name, value in new.items())
        self.engine.warehouse.execute(
            f"insert into {self._table} as target ({names}, {SYNCED}) select {values}, ? from {BATCH} as batch "
            f"on conflict ({', '.join(map(quoted, self.columns.keys))}) do update "
            f"set {SYNCED} = excluded.{SYNCED}, {REMOVED} = null{assigned} "
            f"where target.{REMOVED} is not null{differs}",
            [now()],
        )

    def _cast(self, name: str) -> str:
        return f"cast(batch.{quoted(name)} as {self.engine.types[self.columns.types[name]]})"

    def _columns_there(self) -> set[str]:
        found = self.engine.warehouse.execute(
            "select column_name from information_schema.columns where table_schema = ? and table_name = ?", self.name
        )
        return {name for (name,) in found}

    @property
    def _table(self) -> str:
        return ".".join(map(quoted, self.name))

    @property
    def _others(self) -> list[str]:
        return [name for name in self.columns.names if name not in self.columns.keys]


@dataclass
class Link:
    """A way to one table: what goes wrong on it is `Failed`, and a connection that was lost is opened again."""

    address: str
    name: tuple[str, str]
    columns: Columns
    flags: bool
    _table: TargetTable | None = field(default=None, init=False)

    def open(self) -> None:
        if self._table:
            return
        self._table = TargetTable(open_engine(self.address), self.name, self.columns, self.flags)
        try:
            with self._told() as table:
                table.create()
        except Failed:
            self.close()
            raise

    def apply(self, removals: Sequence[Sequence[str | None]], rows: Sequence[Sequence[str | None]]) -> None:
        self.open()
        with self._told() as table:
            table.apply(removals, rows)

    def keys(self, last: Sequence[str] | None, limit: int) -> list[list[str]]:
        self.open()
        with self._told() as table:
            return table.keys_after(last, limit)

    def close(self) -> None:
        table, self._table = self._table, None
        if table:
            with suppress(Exception):
                table.engine.warehouse.close()

    @contextmanager
    def _told(self) -> Iterator[TargetTable]:
        """Say what an error means, and nothing else of it: databases quote values in theirs."""
        if self._table is None:
            raise Failed(LOST, "not open")
        try:
            yield self._table
        except Exception as error:  # noqa: BLE001 — each engine has its own, and PostgreSQL's may not be installed
            status = self._table.engine.status(error)
            if status == LOST:
                self.close()
            raise Failed(status, type(error).__name__) from None
