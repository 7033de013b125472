"""From an origin's files and pages to Arrow tables in the shape of raw, counting what was accepted."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
from dlt.common.json import json

from sources.changes import Account, Observed
from sources.conform import Provenance, conform, empty, engine, observe, taken_names
from sources.names import literal
from sources.reading import faults_named, jsonl_rows, numbered_rows, rows_of
from sources.source import Source, Table


@dataclass
class Landing:
    """One run of one source. Its clock is the `_landed_at` of every row."""

    source: Source
    landed_at: datetime
    account: Account = field(default_factory=Account)
    seen: set[tuple[str, int]] = field(default_factory=set)
    pages_read: Counter[str] = field(default_factory=Counter)  # rows per table

    @cached_property
    def using(self) -> duckdb.DuckDBPyConnection:
        return engine()

    def close(self) -> None:
        self.using.close()

    def file(self, table: Table, path: Path, name: str, version: int) -> Iterator[pa.Table]:
        """Yield a local file's rows. `name` is its path in the inbox; once changed it is the next version.

        Row ids name the file, its version and the row, so that no two rows of raw share one.
        """
        file_id = name if version == 1 else f"{name}#{version}"
        origin = Provenance(self.landed_at, f"{literal(file_id + '|')} || _row_number", name)
        self.account.add(table.name, name, Observed(0, {}))
        with faults_named(self.source.name, table.name, name, path):
            rows = rows_of(path, taken_names(table), self.using)
            for batch in conform(rows, table, origin, self.using):
                self.account.add(table.name, name, observe(batch, rows, table))
                yield pa.Table.from_batches([batch])

    def page(self, table: Table, records: Sequence[dict[str, Any]]) -> list[pa.Table]:
        """Return a page's rows. Their ids are the content's, so that a row read twice is known."""
        row_id = f"{literal(self.source.raw_name(table) + '|')} || _row_hash"
        origin = Provenance(self.landed_at, row_id, rows_before=self.pages_read[table.name])
        self.pages_read[table.name] += len(records)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "page.jsonl"
            path.write_bytes(b"\n".join(json.dumpb(record) for record in records))
            rows = jsonl_rows(path, taken_names(table), self.using)
            batches = list(conform(rows, table, origin, self.using))
        fresh = [self.unseen(batch, table) for batch in batches]
        for batch in fresh:
            self.account.add(table.name, "", observe(batch, rows, table))
        return [pa.Table.from_batches([batch]) for batch in fresh if batch.num_rows]

    def lines(self, table: Table, name: str, rows: Sequence[bytes], names: Sequence[str]) -> Iterator[pa.Table]:
        """Yield lines of the log. They carry their place as `_row_number`; with `name` it is their id for ever."""
        origin = Provenance(self.landed_at, f"{literal(name + '|')} || _row_number", name)
        self.account.add(table.name, name, Observed(0, {}))
        with TemporaryDirectory() as folder:
            path = Path(folder) / "lines.jsonl"
            path.write_bytes(b"\n".join(rows))
            with faults_named(self.source.name, table.name, name, path):
                found = numbered_rows(path, names)
                for batch in conform(found, table, origin, self.using):
                    self.account.add(table.name, name, observe(batch, found, table))
                    yield pa.Table.from_batches([batch])

    def unseen(self, batch: pa.RecordBatch, table: Table) -> pa.RecordBatch:
        """Leave out the rows an earlier page of this run held: pages shift while they are read."""
        keep = []
        for row_id in batch.column("_row_id").to_pylist():
            short = (table.name, int(row_id[:16], 16))  # half the digest: memory counts, chance doesn't
            keep.append(short not in self.seen)
            self.seen.add(short)
        return batch.filter(pa.array(keep, pa.bool_()))

    def empty(self, table: Table) -> pa.Table:
        """Return the table without rows."""
        return empty(table, self.using)
