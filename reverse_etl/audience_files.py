"""An audience as files: `members`, who is in it now; `changes`, how it came so; `manifest.json`, written last.

    members.csv                          the whole audience, replaced as one file
    changes/run=000012/part-00001.csv    what one batch of one run did; a removal has its identifiers and nothing else
    manifest.json                        run and number of members that the files are of

The work is DuckDB's, which spills to disk: memory does not grow with the audience.
"""

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection as Connection

from reverse_etl.columns import Columns
from reverse_etl.environment import now
from reverse_etl.file_store import FileStore
from reverse_etl.warehouse import quoted

MEMBER, OPERATION_ID, OPERATION, CHANGED_AT = "_member_id", "operation_id", "operation", "changed_at"
OWN = (MEMBER, OPERATION_ID, OPERATION, CHANGED_AT)
PARQUET = {
    "text": "varchar",
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}
PART = re.compile(r"changes/run=(\d{6,})/part-\d{5,}\.\w+")
RECENT_PARTS = 8  # those that a batch re-sent after a kill may be in
# A spreadsheet runs what begins so, also behind blanks and marks that it doesn't show.
FORMULA = re.compile(r"[\s\u00a0\u200b\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n]")
MEMORY = "512MB"

Row = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the files are written; `format` is csv or parquet."""

    format: str = "csv"
    keep_runs: int = 100  # whose changes are kept
    for_spreadsheets: bool = False

    def safe(self, value: str | None) -> str | None:
        return f"'{value}" if self.for_spreadsheets and value and FORMULA.match(value) else value


@dataclass
class AudienceFiles:
    """The files of one audience during one run."""

    store: FileStore
    columns: Columns
    layout: Layout
    _run: int = field(default=0, init=False)
    _part: int = field(default=1, init=False)
    _recent: set[str] = field(default_factory=set, init=False)  # operations of the newest parts
    _last: set[str] = field(default_factory=set, init=False)  # operations of the batch before

    def open(self) -> None:
        """Number this run, forget runs too old to keep, and learn which operations are written already."""
        parts = sorted((int(at[1]), name) for name in self.store.names() if (at := PART.fullmatch(name)))
        self._run = max((run for run, _ in parts), default=0) + 1
        kept = [name for run, name in parts if run > self._run - self.layout.keep_runs]
        for _, name in parts[: len(parts) - len(kept)]:
            self.store.drop(name)
        with self.store.workspace() as workspace:
            for name in kept[-RECENT_PARTS:]:
                if file := self.store.fetch(name, workspace):
                    found = _engine(workspace).execute(f"select {OPERATION_ID} from {_table(file)}").fetchall()
                    self._recent |= {operation_id for (operation_id,) in found}

    def apply(self, rows: Sequence[Row]) -> None:
        """Write a batch of (operation_id, operation, member_id, *values): its part, the members, the manifest.

        What a crash leaves unanswered comes again; its part is written over, or its operations are known.
        """
        with self.store.workspace() as workspace:
            engine = _engine(workspace)
            self._load(engine, rows)
            changes = self._written_part(engine, workspace)
            members, count = self._written_members(engine, workspace)
            manifest = workspace / "manifest.json"
            about = {"members": members.name, "rows": count, "run": self._run, "parts": self._part, CHANGED_AT: _at()}
            manifest.write_text(json.dumps(about), encoding="utf-8")
            part = f"changes/run={self._run:06}/part-{self._part:05}.{self.layout.format}"
            self._put([*([(changes, part)] if changes else []), (members, members.name), (manifest, manifest.name)])
        self._part += 1 if changes else 0
        self._last = {str(row[0]) for row in rows}

    def keys(self) -> list[tuple[str, ...]]:
        """Read what finds the members in their file, as text."""
        texts = ", ".join(f"cast({quoted(key)} as varchar)" for key in self.columns.keys)
        with self.store.workspace() as workspace:
            file = self.store.fetch(f"members.{self.layout.format}", workspace)
            return _engine(workspace).execute(f"select {texts} from {_table(file)}").fetchall() if file else []

    def _put(self, files: Sequence[tuple[Path, str]]) -> None:
        """Put files in this order; a lack of rights for another than the first is no word that nothing happened."""
        for place, (file, name) in enumerate(files):
            try:
                self.store.put(file, name)
            except OSError as error:
                if not place:
                    raise
                raise OSError(type(error).__name__) from error

    def _load(self, engine: Connection, rows: Sequence[Row]) -> None:
        """Bring the batch into the engine; of each member its last operation stands."""
        known = self._recent | self._last
        texts = zip(*rows, strict=True) if rows else [()] * (3 + len(self.columns.names))
        names = (OPERATION_ID, OPERATION, MEMBER, *self.columns.names)
        batch = {
            name: pa.array(map(self.layout.safe, values), pa.string())
            for name, values in zip(names, texts, strict=True)
        }
        batch["_position"] = pa.array(range(len(rows)), pa.int64())
        batch["_is_new"] = pa.array((row[0] not in known for row in rows), pa.bool_())
        engine.register("batch", pa.table(batch))
        engine.execute(
            "create table final as select * from batch "
            f"qualify row_number() over (partition by {MEMBER} order by _position desc) = 1 order by _position"
        )

    def _written_part(self, engine: Connection, workspace: Path) -> Path | None:
        if not engine.execute("select 1 from batch where _is_new limit 1").fetchone():
            return None
        sql = (
            f"select {OPERATION_ID}, {OPERATION}, '{_at()}' as {CHANGED_AT}, {MEMBER}, {self._typed()} "
            "from batch where _is_new order by _position"
        )
        return self._copied(engine, sql, workspace / f"part.{self.layout.format}")[0]

    def _written_members(self, engine: Connection, workspace: Path) -> tuple[Path, int]:
        """Rewrite the members: those the batch doesn't speak of, and those it adds or changes."""
        before, there = self.store.fetch(f"members.{self.layout.format}", workspace), set[str]()
        if before:
            engine.execute(f"create view before as select * from {_table(before)}")
            there = {name for name, *_ in engine.execute("describe before").fetchall()}
        values = {
            name: f"coalesce(final.{quoted(name)}, cast(before.{quoted(name)} as varchar))"
            if name in self.columns.kept & there
            else f"final.{quoted(name)}"
            for name in self.columns.names
        }
        join = f"left join before on before.{MEMBER} = final.{MEMBER}" if self.columns.kept & there else ""
        sql = f"select final.{MEMBER}, {self._typed(values)} from final {join} where final.{OPERATION} <> 'remove'"
        if before:
            stay = self._typed({name: quoted(name) if name in there else "null" for name in self.columns.names})
            gone = f"(select {MEMBER} from final)"
            sql = f"select {MEMBER}, {stay} from before where {MEMBER} not in {gone} union all {sql}"
        return self._copied(engine, sql, workspace / f"members.{self.layout.format}")

    def _typed(self, values: Mapping[str, str] | None = None) -> str:
        """List the columns in the format's types, from SQL for each or of their own name."""
        of_type = PARQUET if self.layout.format == "parquet" else dict.fromkeys(PARQUET, "varchar")
        return ", ".join(
            f"try_cast({values[name] if values else quoted(name)} as {of_type[kind]}) as {quoted(name)}"
            for name, kind in self.columns.types.items()
        )

    def _copied(self, engine: Connection, sql: str, file: Path) -> tuple[Path, int]:
        written = (
            "format csv, header true, quote '\"', escape '\"', nullstr ''"
            if self.layout.format == "csv"
            else "format parquet"
        )
        [(count,)] = engine.execute(f"copy ({sql}) to {_literal(file)} ({written})").fetchall()
        return file, int(count)


def _engine(workspace: Path) -> Connection:
    return duckdb.connect(config={"threads": 2, "memory_limit": MEMORY, "temp_directory": str(workspace / "spill")})


def _table(file: Path) -> str:
    """Read a file of ours as a table: nothing is guessed, text stays text, "" is not null."""
    if file.suffix == ".parquet":
        return f"read_parquet({_literal(file)})"
    with file.open(newline="", encoding="utf-8") as lines:
        names = ", ".join(f"{_literal(name)}: 'varchar'" for name in next(csv.reader(lines)))
    return (
        f"read_csv({_literal(file)}, auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', "
        f"nullstr = '', allow_quoted_nulls = false, max_line_size = 16000000, parallel = false, columns = {{{names}}})"
    )


def _literal(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _at() -> str:
    return now().isoformat(timespec="seconds") + "Z"
