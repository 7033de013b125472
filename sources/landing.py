"""From an origin's files and pages to Arrow tables in the shape of raw, counting what was accepted."""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
from dlt.common.json import json

from sources.changes import Account, Observed
from sources.conform import conform, empty, engine, observe, taken_names
from sources.names import literal
from sources.reading import faults_named, jsonl_rows, rows_of
from sources.source import Source, Table


@dataclass
class Landing:
    """One run of one source. Its clock is the `_landed_at` of every row."""

    source: Source
    landed_at: datetime
    account: Account = field(default_factory=Account)
    using: duckdb.DuckDBPyConnection = field(default_factory=engine)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def file(self, table: Table, path: Path, name: str, version: int) -> Iterator[pa.Table]:
        """A local file's rows. `name` is its path in the inbox; a changed file is the next version of it.

        Row ids name the file, its version and the row, so that no two rows of raw share one.
        """
        file_id = name if version == 1 else f"{name}#{version}"
        row_id = f"{literal(file_id + '|')} || _row_number"
        self.account.add(table.name, name, Observed(0, {}))
        with faults_named(self.source.name, table.name, name, path):
            rows = rows_of(path, taken_names(table), self.using)
            for batch in conform(rows, table, row_id, self.landed_at, name, self.using):
                self.account.add(table.name, name, observe(batch, rows, table))
                yield pa.Table.from_batches([batch])

    def page(self, table: Table, records: Sequence[dict[str, Any]]) -> list[pa.Table]:
        """A page of an interface or a database. Row ids are the content's, so a row read twice is known."""
        origin = f"{self.source.name}__{table.name}"
        with TemporaryDirectory() as folder:
            path = Path(folder) / "page.jsonl.gz"
            with gzip.open(path, "wb", compresslevel=1) as file:
                file.writelines(json.dumpb(record) + b"\n" for record in records)
            rows = jsonl_rows(path, taken_names(table), self.using)
            batches = list(conform(rows, table, f"{literal(origin + '|')} || _row_hash", self.landed_at, "", self.using))
        fresh = [self.unseen(batch, table) for batch in batches]
        for batch in fresh:
            self.account.add(table.name, "", observe(batch, rows, table))
        return [pa.Table.from_batches([batch]) for batch in fresh if batch.num_rows]

    def unseen(self, batch: pa.RecordBatch, table: Table) -> pa.RecordBatch:
        """Without the rows an earlier page of this run held: pages shift while they are read."""
        keep = []
        for row_id in batch.column("_row_id").to_pylist():
            keep.append((table.name, row_id) not in self.seen)
            self.seen.add((table.name, row_id))
        return batch.filter(pa.array(keep, pa.bool_()))

    def empty(self, table: Table) -> pa.Table:
        return empty(table, self.using)
