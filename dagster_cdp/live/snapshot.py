"""A copy of the warehouse for analysts: a file that changes in one step, and that anybody may open for reading."""

import subprocess
import threading
import time
from pathlib import Path

import duckdb

TRIES = 50
PAUSE = 0.1  # seconds


def snapshot_path(warehouse: Path) -> Path:
    """Where the copy for analysts lies."""
    return warehouse.with_name(f"{warehouse.stem}.snapshot.duckdb")


def publish(connection: duckdb.DuckDBPyConnection, warehouse: Path, turn: threading.RLock) -> str:
    """Bring the file up to date and copy it while nothing is written into it; commits go to the log beside it."""
    published = snapshot_path(warehouse)
    being = published.with_suffix(".part")
    with turn:  # also of another copy, which may be wanted at once
        before = connection.execute("select current_setting('checkpoint_threshold')").fetchall()[0][0]
        connection.execute("set global checkpoint_threshold = '1TB'")
        try:
            _checkpoint(connection)
            # By another process: closing a second descriptor of the file here would drop DuckDB's own lock on it.
            subprocess.run(["cp", "--", str(warehouse), str(being)], check=True, capture_output=True)  # noqa: S603, S607
        finally:
            connection.execute(f"set global checkpoint_threshold = '{before}'")
        being.replace(published)
    return str(published)


def _checkpoint(connection: duckdb.DuckDBPyConnection) -> None:
    """Wait for a moment without another transaction; never force one out."""
    for left in reversed(range(TRIES)):
        try:
            connection.execute("checkpoint")
        except duckdb.TransactionException:
            if not left:
                raise
            time.sleep(PAUSE)
        else:
            return
