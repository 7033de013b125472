"""The schema contract: rows of text become the declared columns, and nothing is lost on the way.

A value that its type can't hold stays as text in `<column>__v_text`; an undeclared column stays as
text; a declared column that is missing is null. All three are reported.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from sources.changes import Change, Observed
from sources.names import PLUMBING, e164_of, literal, quoted, variant_of
from sources.phones import e164_column
from sources.reading import Rows
from sources.source import Column, Content, Table, Type

BATCH = 100_000  # rows in memory at once

TYPES = {
    Type.TEXT: "varchar",
    Type.JSON: "varchar",
    Type.INTEGER: "bigint",
    Type.MONEY: "decimal(18, 2)",
    Type.FLAG: "boolean",
    Type.DAY: "date",
    Type.MOMENT: "timestamp",
}

ESCAPED_ZERO = r"((?:^|[^\\])(?:\\\\)*)(?:\\u0000)+"  # not `\\u0000`, which is a backslash and a word

NEVER = datetime(1970, 1, 1)  # noqa: DTZ001 - naive UTC, as everything in raw
FORMATTING = r"[\p{Cc}\p{Cf}]"  # control and zero-width characters
BREAKS = r"[\t\n\v\f\r\x{85}]+"  # these separate words, so one space stays


def engine() -> duckdb.DuckDBPyConnection:
    """Open the in-memory DuckDB that reads and types; one thread, because loads share the machine."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("set TimeZone = 'UTC'")
    return connection


def taken_names(table: Table) -> frozenset[str]:
    """Names of this table that loading writes itself."""
    variants = {variant_of(column.name) for column in table.typed}
    return frozenset(variants | {e164_of(phone) for phone in table.phones})


def hints(table: Table) -> dict[str, dict[str, Any]]:
    """Tell dlt what Arrow can't: moments are UTC without a zone, on every warehouse."""
    moments = [column.name for column in table.columns if column.type is Type.MOMENT]
    return {name: {"data_type": "timestamp", "timezone": False} for name in [*moments, "_landed_at"]}


@dataclass(frozen=True)
class Provenance:
    """Where rows come from. `row_id` is SQL over `_row_number` and `_row_hash`; its md5 names the row."""

    landed_at: datetime
    row_id: str
    file: str = ""
    rows_before: int = 0  # in earlier pages of the same run


def conform(rows: Rows, table: Table, origin: Provenance, using: duckdb.DuckDBPyConnection) -> Iterator[pa.RecordBatch]:
    """Turn rows of text into Arrow batches in the shape of raw."""
    reader = using.execute(conforming(rows, table, origin)).to_arrow_reader(BATCH)
    for batch in reader:
        yield with_phones(without_idle_variants(batch, table), table)


def observe(batch: pa.RecordBatch, rows: Rows, table: Table) -> Observed:
    """Count what this batch shows that the declaration doesn't say."""
    declared = {column.name for column in table.columns}
    counts: dict[tuple[str, Change], int] = {}
    for name in rows.names:
        if name not in declared:
            counts[name, Change.NEW] = held(batch, name)
    for column in table.typed:
        if count := held(batch, variant_of(column.name)):
            counts[column.name, Change.RETYPED] = count
    for name in sorted(declared - set(rows.names)):
        counts[name, Change.MISSING] = batch.num_rows
    return Observed(batch.num_rows, counts)


def held(batch: pa.RecordBatch, name: str) -> int:
    """How many rows hold a value in this column."""
    at = batch.schema.get_field_index(name)
    return 0 if at < 0 else batch.num_rows - batch.column(at).null_count


def empty(table: Table, using: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return the table without rows, so that it exists before any data does."""
    nothing = ", ".join(f"null::varchar as {quoted(column.name)}" for column in table.columns)
    rows = Rows(
        f"select 0::bigint as _row_number, {nothing} where false",
        tuple(column.name for column in table.columns),
    )
    reader = using.execute(conforming(rows, table, Provenance(NEVER, "''"))).to_arrow_reader(BATCH)
    batch = pa.RecordBatch.from_pylist([], schema=reader.schema)
    return pa.Table.from_batches([with_phones(without_idle_variants(batch, table), table)])


def conforming(rows: Rows, table: Table, origin: Provenance) -> str:
    """Write the one statement that types a page: text, then typed, then what didn't fit."""
    variants = [variant(column) for column in table.typed if column.name in rows.names]
    listed = [
        f"case when {held_back(column)} then {literal(column.name)} end"
        for column in table.typed
        if column.name in rows.names
    ]
    columns = [quoted(column.name) for column in table.columns]
    undeclared = [quoted(name) for name in rows.names if name not in {c.name for c in table.columns}]
    plumbing = [
        f"md5({origin.row_id}) as _row_id",
        f"{literal(origin.file)}::varchar as _source_file",
        f"_row_number::bigint + {origin.rows_before} as _row_number",
        f"timestamp {literal(origin.landed_at.isoformat(' '))} as _landed_at",
        f"nullif(concat_ws(',', {', '.join(['null', *listed])}), '') as _variants",
        "_row_hash",
    ]
    return (
        f"with incoming as ({rows.query}), typed as (select {', '.join(typed(rows, table))} from incoming)\n"
        f"select {', '.join([*columns, *undeclared, *variants, *plumbing])} from typed"
    )


def typed(rows: Rows, table: Table) -> list[str]:
    """Select list: each column in its declared type, and the trimmed text beside a typed one."""
    columns = ["_row_number", f"{row_hash(rows)} as _row_hash"]
    declared = {column.name: column for column in table.columns}
    for name, column in declared.items():
        if name not in rows.names:
            columns.append(f"null::{TYPES[column.type]} as {quoted(name)}")
        elif column.is_typed:
            said = f"nullif(trim({quoted(name)}), '')"
            columns.append(f"{said} as {quoted(variant_of(name))}")
            columns.append(f"{cast(said, column.type)} as {quoted(name)}")
        else:
            columns.append(f"{filled(quoted(name), column.content)} as {quoted(name)}")
    undeclared = [name for name in rows.names if name not in declared]
    return columns + [f"{filled(quoted(name))} as {quoted(name)}" for name in undeclared]


def filled(text: str, content: Content = Content.PLAIN) -> str:
    """Write SQL for clean text or null: a csv file, which carries rows to PostgreSQL, can't tell '' from null."""
    return f"nullif({clean(text, content)}, '')"


def clean(text: str, content: Content = Content.PLAIN) -> str:
    """Write SQL for text any warehouse can hold: PostgreSQL refuses the character zero, even as JSON escape.

    What is rare is tested for first, because the test costs a third of the repair.
    """
    if content is Content.TIDY:
        tidy = f"regexp_replace(regexp_replace({text}, '{BREAKS}', ' ', 'g'), '{FORMATTING}', '', 'g')"
        return f"case when regexp_matches({text}, '[^ -~]') then nfc_normalize({tidy}) else {text} end"
    whole = rf"regexp_replace(replace({text}, chr(0), ''), '{ESCAPED_ZERO}', '\1', 'g')"
    return rf"case when contains({text}, chr(0)) or contains({text}, '\u0000') then {whole} else {text} end"


def cast(text: str, kind: Type) -> str:
    """Write SQL for a value of a type, null when the text isn't one."""
    tried = f"try_cast({text} as {TYPES[kind]})"
    if kind is Type.INTEGER:  # 12.7 would be rounded
        return f"case when try_cast({text} as double) = {tried} then {tried} end"
    if kind is Type.DAY:
        return f"case when year({tried}) between 1 and 9999 then {tried} end"
    if kind is Type.MOMENT:  # with a zone, without one (UTC), or in seconds or milliseconds since 1970
        zoned = f"try_cast({text} as timestamptz) at time zone 'UTC'"
        seconds = f"case when regexp_full_match({text}, '[0-9]{{9,10}}') then {text}::bigint * 1000000 "
        millis = f"when regexp_full_match({text}, '[0-9]{{12,13}}') then {text}::bigint * 1000 end"
        moment = f"coalesce({zoned}, make_timestamp({seconds}{millis}))"
        return f"case when year({moment}) between 1 and 9999 then {moment} end"
    return tried


def held_back(column: Column) -> str:
    return f"{quoted(column.name)} is null and {quoted(variant_of(column.name))} is not null"


def variant(column: Column) -> str:
    name = quoted(variant_of(column.name))
    return f"case when {held_back(column)} then {clean(name)} end as {name}"


def row_hash(rows: Rows) -> str:
    """Write SQL for the md5 of the values present, by name, so that an added empty column changes nothing."""
    parts = [f"{literal(name + '=')} || {quoted(name)}" for name in sorted(rows.names)]
    return f"md5(concat_ws(chr(31), {', '.join(parts)}))" if parts else "md5('')"


def without_idle_variants(batch: pa.RecordBatch, table: Table) -> pa.RecordBatch:
    """Drop the variant columns nothing was held back in, so that they exist only where needed."""
    idle = [variant_of(column.name) for column in table.typed if not held(batch, variant_of(column.name))]
    return batch.select([name for name in batch.schema.names if name not in idle])


def with_phones(batch: pa.RecordBatch, table: Table) -> pa.RecordBatch:
    """Add `<column>_e164` for each declared phone, before the plumbing."""
    first = batch.schema.get_field_index(PLUMBING[0])
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    numbers = {e164_of(phone): e164_column(columns[phone]) for phone in table.phones}
    names = batch.schema.names
    ordered = [*names[:first], *numbers, *names[first:]]
    return pa.RecordBatch.from_arrays([{**columns, **numbers}[name] for name in ordered], names=ordered)
