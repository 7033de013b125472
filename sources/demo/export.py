"""Write the tables of schema `files` as inbox files: months of history, days for the last week."""

from datetime import date, timedelta
from pathlib import Path

import duckdb

from sources.demo.literal import sql_path

CSV_TABLES = frozenset({
    "products__products", "products__coupons", "web_orders__order_lines", "store_receipts__receipts",
    "store_receipts__receipt_lines", "store_receipts__loyalty_members", "store_receipts__coupon_redemptions",
    "email_engagement__campaigns",
})  # fmt: skip
DAILY_DAYS = 7


def write_inbox(warehouse: duckdb.DuckDBPyConnection, inbox: Path, last_day: date) -> dict[str, int]:
    """Write every table; return rows per file, named relative to the inbox."""
    tables = warehouse.execute(
        "select table_name from duckdb_tables() where schema_name = 'files' order by table_name"
    ).fetchall()
    counts: dict[str, int] = {}
    for (table,) in tables:
        counts |= _write_table(warehouse, inbox, str(table), last_day)
    return counts


def _write_table(warehouse: duckdb.DuckDBPyConnection, inbox: Path, table: str, last_day: date) -> dict[str, int]:
    """Write one file per period; rows without a time (`_at` is null) go into `<entity>.<ending>`."""
    connector, entity = table.split("__")
    folder = inbox / connector / entity
    folder.mkdir(parents=True, exist_ok=True)
    ending, options = ("csv", "format csv, header") if table in CSV_TABLES else ("jsonl", "format json")
    first_daily = last_day - timedelta(days=DAILY_DAYS - 1)
    warehouse.execute(f"""
        create or replace temp table period as
        select
            case when _at is null then '{entity}'
                when cast(_at as date) >= date '{first_daily}' then strftime(_at, '%Y-%m-%d')
                else strftime(_at, '%Y-%m') end as _file,
            *
        from files.{table}
        order by all
    """)
    files = warehouse.execute("select _file, count(*) from period group by _file order by _file").fetchall()
    counts = {}
    for name, count in files:
        path = folder / f"{name}.{ending}"
        warehouse.execute(f"""
            copy (select * exclude (_file, _at, _person) from period where _file = '{name}')
            to {sql_path(path)} ({options})
        """)
        counts[path.relative_to(inbox).as_posix()] = int(count)
    return counts
