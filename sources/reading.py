"""A file as rows of text: csv, JSON lines or parquet, plain or gzipped, read by DuckDB in place.

What is wrong with a file is said by line number and shape, never by quoting it: files hold people.
"""

import csv
import gzip
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb

from sources.names import incoming_names, literal, quoted
from sources.refusals import BadFile

FORMATS = ("csv", "jsonl", "parquet")
CHUNK = 1 << 20  # bytes
MOST_NAMES = 500  # more is data written as column names


@dataclass(frozen=True)
class Rows:
    """Rows still as text: `query` yields `_row_number` (from 1) and one text column per name."""

    query: str
    names: tuple[str, ...]


def format_of(path: str) -> str | None:
    """Tell the format by the ending, or null for a file that isn't data."""
    name = path.lower().removesuffix(".gz")
    return next((ending for ending in FORMATS if name.endswith(f".{ending}")), None)


def rows_of(path: Path, taken: frozenset[str], engine: duckdb.DuckDBPyConnection) -> Rows:
    """Return the file's rows, by the format its name ends with."""
    if is_gzipped(path):
        unpack_once(path)
    read = {"csv": csv_rows, "jsonl": jsonl_rows, "parquet": parquet_rows}
    return read[format_of(path.name) or "csv"](path, taken, engine)


def csv_rows(path: Path, taken: frozenset[str], _engine: duckdb.DuckDBPyConnection) -> Rows:
    header, delimiter = csv_header(path)
    if len(set(header)) < len(header):
        raise BadFile("line 1: the header names a column twice")
    columns = ", ".join(f"{literal(str(at))}: 'varchar'" for at in range(len(header)))
    scan = (
        f"read_csv({literal(str(path))}, auto_detect = false, header = true, delim = {literal(delimiter)}, "
        f"""quote = '"', escape = '"', columns = {{{columns}}})"""
    )
    position = {name: quoted(str(at)) for at, name in enumerate(header)}
    return selected(incoming_names(header, taken), position, scan)


def csv_header(path: Path) -> tuple[list[str], str]:
    """Return the names in the first record, and the delimiter that splits it into most of them."""
    try:
        line = next(lines_of(path), "")
        delimiter = max(",;\t|", key=line.count)
        header = next(csv.reader(lines_of(path), delimiter=delimiter), [])  # a name may hold a line break
    except UnicodeDecodeError:
        raise BadFile("line 1: the text is not UTF-8") from None
    except csv.Error:
        raise BadFile("line 1: the header is not csv") from None
    if not header:
        raise BadFile("line 1: there is no header; write the column names in the first line")
    return header, delimiter


def jsonl_rows(path: Path, taken: frozenset[str], engine: duckdb.DuckDBPyConnection) -> Rows:
    scan = f"read_json_objects({literal(str(path))}, format = 'newline_delimited')"
    keys, strangers = engine.execute(
        "select list_sort(list(distinct key)), bool_or(is_stranger) from ("
        "  select unnest(case when json_type(json) = 'OBJECT' then json_keys(json) else [''] end) as key,"
        f"  json_type(json) <> 'OBJECT' as is_stranger from {scan})"
    ).fetchall()[0]
    if strangers:
        raise BadFile(first_bad_line(path) or "a line is not a JSON object")
    # one call parses a line once for all its keys; '~' and '/' are escaped in a JSON pointer
    paths = ", ".join(literal("/" + key.replace("~", "~0").replace("/", "~1")) for key in keys or [])
    values = f"(select json_extract_string(json, [{paths}]::varchar[]) as found from {scan})"
    position = {key: f"found[{at}]" for at, key in enumerate(keys or [], start=1)}
    return selected(incoming_names(keys or [], taken), position, values)


def numbered_rows(path: Path, names: Sequence[str]) -> Rows:
    """Return rows that this project wrote: JSON lines with `_row_number` and any of these columns."""
    scan = f"read_json_objects({literal(str(path))}, format = 'newline_delimited')"
    paths = ", ".join(literal(f"/{name}") for name in ["_row_number", *names])
    values = f"(select json_extract_string(json, [{paths}]::varchar[]) as found from {scan})"
    columns = [f"found[{at}] as {quoted(name)}" for at, name in enumerate(names, start=2)]
    return Rows(f"select {', '.join(['found[1]::bigint as _row_number', *columns])} from {values}", tuple(names))


def parquet_rows(path: Path, taken: frozenset[str], engine: duckdb.DuckDBPyConnection) -> Rows:
    scan = f"read_parquet({literal(str(path))})"
    described = engine.execute(f"describe select * from {scan}").fetchall()
    position = {name: as_text(quoted(name), kind) for name, kind, *_ in described}
    return selected(incoming_names(position, taken), position, scan)


def as_text(column: str, kind: str) -> str:
    """Write SQL for a parquet value as text; nested ones as JSON text."""
    is_nested = kind.startswith(("STRUCT", "MAP")) or kind.endswith("]")
    return f"to_json({column})::varchar" if is_nested else f"{column}::varchar"


def selected(spellings: dict[str, list[str]], position: dict[str, str], scan: str) -> Rows:
    """Add the row numbers and the names; the engine keeps the order of the file."""
    if len(spellings) > MOST_NAMES:
        raise BadFile(f"{len(spellings)} column names, at most {MOST_NAMES} are taken; nest the values")
    columns = [
        f"coalesce({', '.join(position[name] for name in names)}) as {quoted(snake)}"
        for snake, names in spellings.items()
    ]
    return Rows(
        f"select {', '.join(['row_number() over () as _row_number', *columns])} from {scan}",
        tuple(spellings),
    )


@contextmanager
def faults_named(connector: str, table: str, file: str, path: Path) -> Iterator[None]:
    """Turn any fault of reading into one BadFile that says where and what, without the content."""
    try:
        yield
    except BadFile as fault:
        said = str(fault)
    except duckdb.Error as fault:
        said = explained(str(fault), path)
    else:
        return
    raise BadFile(
        f"{connector}.{table}: {file}: {said}. Nothing of this run was loaded; repair or remove the file."
    ) from None


def explained(message: str, path: Path) -> str:
    """DuckDB's message -> line number and fault. The message itself quotes the line, so it is dropped."""
    if format_of(path.name) == "jsonl":
        return first_bad_line(path) or "not JSON lines: one object per line"
    if format_of(path.name) == "parquet":
        return "not a readable parquet file"
    line = re.search(r"Line: (\d+)", message)
    counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    where = f"line {line[1]}: " if line else ""
    if counts:
        return f"{where}expected {counts[1]} columns, found {counts[2]}"
    for phrase, fault in CSV_FAULTS.items():
        if phrase in message:
            return where + fault
    return f"{where}not readable as csv"


CSV_FAULTS = {
    "unterminated quote": "a quoted value is not closed",
    "not utf-8": "the text is not UTF-8",
    "Maximum line size": "a line is longer than 2 MB",
}


def first_bad_line(path: Path) -> str | None:
    """Say where JSON lines break: DuckDB counts blank lines differently, so the fault is looked up."""
    at = 1
    try:
        for line in lines_of(path):
            if line.strip() and not isinstance(json.loads(line), dict):
                return f"line {at}: expected a JSON object, found another value"
            at += 1
    except UnicodeDecodeError:
        return f"line {at}: the text is not UTF-8"
    except json.JSONDecodeError as fault:
        return f"line {at}: not JSON at character {fault.pos + 1}"
    return None


def lines_of(path: Path) -> Iterator[str]:
    """Yield the lines of a text file, decoded one by one so that a fault is met on its own line."""
    with opened(path) as file:
        for at, line in enumerate(file):
            yield line.decode("utf-8-sig" if at == 0 else "utf-8")


def opened(path: Path) -> BinaryIO | gzip.GzipFile:
    """Open a file for reading, unpacked on the way if it is gzipped."""
    return gzip.open(path) if is_gzipped(path) else path.open("rb")


def is_gzipped(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


def unpack_once(path: Path) -> None:
    """Refuse a gzip file that was cut short: DuckDB would take what is there for the whole."""
    try:
        with gzip.open(path) as file:
            while file.read(CHUNK):
                pass
    except (EOFError, OSError, zlib.error):
        raise BadFile("the gzip file is damaged or cut short") from None
