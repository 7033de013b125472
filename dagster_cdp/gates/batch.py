"""Which rows a gate looks at: the newest loads of a raw table, or a whole table as it is now."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dagster_cdp.gates.suite import Suite
from reverse_etl.warehouse import Warehouse, quoted

DIGITS = 12  # hex digits of each row's md5 that are summed: fits a bigint
NOTHING = "empty"


@dataclass(frozen=True)
class Batch:
    """Some rows of one table: `query` selects them, `batch_id` changes when they do."""

    batch_id: str
    query: str
    row_count: int


@dataclass(frozen=True)
class Judged:
    """A batch that has a verdict."""

    batch_id: str
    is_passed: bool

    @property
    def first(self) -> str:
        return self.batch_id.partition("..")[0]

    @property
    def last(self) -> str:
        return self.batch_id.partition("..")[2]


def newest_batch(
    suite: Suite, warehouse: Warehouse, judged: Sequence[Judged], now: datetime, *, leaves_out: str = ""
) -> Batch:
    """Find what is to be judged now; `judged` are the earlier batches of this table.

    `leaves_out` names a pipeline whose loads don't make a new batch.
    """
    if suite.batch == "load":
        return _newest_loads(suite.table, warehouse, [past for past in judged if past.last], leaves_out)
    return _whole_table(suite, warehouse, now)


def _newest_loads(table: str, warehouse: Warehouse, judged: Sequence[Judged], leaves_out: str) -> Batch:
    """Take the committed loads without a verdict; when there are none, the batch judged last."""
    seen = max((past.last for past in judged), default="")
    fresh = _loads(table, warehouse, after=seen, leaves_out=leaves_out)
    if fresh:
        # Never together with earlier loads, however few rows there are: a day that isn't what was
        # agreed would drown in a year that is. What a few bad rows may do is the examiner's question.
        return _between(table, min(fresh), max(fresh), sum(fresh.values()))
    if seen:
        first = max(past.first for past in judged if past.last == seen)
        return _between(table, first, seen, sum(_loads(table, warehouse, at_least=first).values()))
    return Batch(NOTHING, f"select * from {_relation(table)}", 0)


def _loads(
    table: str, warehouse: Warehouse, *, after: str = "", at_least: str = "", leaves_out: str = ""
) -> dict[str, int]:
    """Rows per committed load; dlt's load ids are moments, so text order is time order."""
    rows = warehouse.execute(
        f"select _dlt_load_id, count(*) from {_relation(table)} where _dlt_load_id > ? and _dlt_load_id >= ?"
        " and _dlt_load_id in (select load_id from raw._dlt_loads where status = 0 and coalesce(schema_name, '') <> ?)"
        " group by _dlt_load_id",
        [after, at_least, leaves_out],
    )
    return {str(load): int(count) for load, count in rows}


def _between(table: str, first: str, last: str, row_count: int) -> Batch:
    query = (
        f"select * from {_relation(table)} where _dlt_load_id between {_literal(first)} and {_literal(last)}"
        " and _dlt_load_id in (select load_id from raw._dlt_loads where status = 0)"
    )
    return Batch(f"{first}..{last}", query, row_count)


def _whole_table(suite: Suite, warehouse: Warehouse, now: datetime) -> Batch:
    """Name the table by its content, and by what its questions about other tables answer now."""
    query = f"select * from {_relation(suite.table)}"
    columns = _columns(suite.table, warehouse)
    [(count, total)] = warehouse.execute(_fingerprint(query, columns))
    answers = [_answer(question, query, warehouse, now) for question in questions(suite)]
    content = json.dumps([columns, int(count), str(total), answers])
    return Batch(f"{count}:{hashlib.sha256(content.encode()).hexdigest()[:16]}", query, int(count))


def questions(suite: Suite) -> list[str]:
    """List the suite's own SQL, in order."""
    return [item.unexpected_rows_query for item in suite.expectations if item.unexpected_rows_query]


def asked_at(question: str, now: datetime) -> str:
    """Put the clock into a question; written as `{now}`."""
    return question.replace("{now}", f"timestamp '{now:%Y-%m-%d %H:%M:%S}'")


def _answer(question: str, query: str, warehouse: Warehouse, now: datetime) -> int:
    [(count,)] = warehouse.execute(f"select count(*) from (with batch as ({query}) {asked_at(question, now)}) as found")
    return int(count)


def _columns(table: str, warehouse: Warehouse) -> list[str]:
    schema, name = table.split(".")
    rows = warehouse.execute(
        "select column_name from information_schema.columns"
        " where table_schema = ? and table_name = ? order by ordinal_position",
        [schema, name],
    )
    return [str(column) for (column,) in rows]


def _fingerprint(query: str, columns: Sequence[str]) -> str:
    """Count, and the sum over all rows of a part of each row's md5: no order, no values."""
    text = " || ".join(f"coalesce('=' || cast({quoted(name)} as varchar), '~') || chr(31)" for name in columns)
    digits = " + ".join(
        f"{16**place} * cast(strpos('0123456789abcdef', substr(digest, {place + 1}, 1)) - 1 as bigint)"
        for place in range(DIGITS)
    )
    digests = f"select md5({text}) as digest from ({query}) as batch"
    return f"select count(*), sum({digits}) from ({digests}) as digests"


def _relation(table: str) -> str:
    return ".".join(map(quoted, table.split(".")))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
