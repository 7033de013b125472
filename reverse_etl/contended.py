"""Writing rows that another transaction may be writing: the later one begins again, as DuckDB never waits for a row."""

import time
from collections.abc import Callable
from typing import TypeVar

import duckdb

from reverse_etl.warehouse import Warehouse

LONGEST = 30.0  # seconds; the owner holds what it wrote until its cycle ends
PAUSE = 0.05  # seconds between two tries

Result = TypeVar("Result")


def is_conflict(fault: BaseException) -> bool:
    """Whether two transactions wrote the same row, so that this one has to begin again.

    DuckDB says so of an update at once; of a new row with the same key only when the later one commits.
    """
    said = str(fault)
    return isinstance(fault, duckdb.TransactionException) and ("onflict" in said or "duplicate key" in said)


def contended(warehouse: Warehouse, work: Callable[[], Result]) -> Result:
    """Do `work`, which may be done again, in a transaction; it gives what the one that was committed gave."""
    until = time.monotonic() + LONGEST
    while True:
        try:
            with warehouse.transaction():
                return work()
        except duckdb.TransactionException as fault:
            if not is_conflict(fault) or time.monotonic() >= until:
                raise
        time.sleep(PAUSE)
