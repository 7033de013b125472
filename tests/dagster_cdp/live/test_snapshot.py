"""What analysts read: a whole copy, while the file itself stays the owner's alone."""

from __future__ import annotations

import subprocess
import sys
import threading

import duckdb
from shoppers import Shoppers

from dagster_cdp.live.snapshot import publish, snapshot_path

OTHER = "import duckdb, sys; duckdb.connect(sys.argv[1])"


def test_a_copy_is_whole_and_the_file_stays_ours(live, home):
    live.write(Shoppers(1).lines(30))
    live.catch_up()
    file = home / "warehouse.duckdb"
    expected = live.rows("select count(*) from profiles.profiles")

    publish(live.connection.cursor(), file, threading.RLock())

    with duckdb.connect(str(snapshot_path(file)), read_only=True) as copy:
        assert copy.execute("select count(*) from profiles.profiles").fetchall() == expected
    # DuckDB's lock is still held: another process can't open the file
    other = subprocess.run([sys.executable, "-c", OTHER, str(file)], capture_output=True, text=True, check=False)
    assert "lock" in other.stderr
    live.write(Shoppers(2).lines(10))
    live.catch_up()
