"""What analysts read: a whole copy, while the file itself stays the owner's alone."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

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


def test_a_copy_is_in_its_place_before_the_next_begins(tmp_path, monkeypatch):
    """Two may be wanted at once, by the clock and by hand: neither puts the other's half in place."""
    file, turn, free, put = tmp_path / "warehouse.duckdb", threading.RLock(), [], Path.replace

    def replace(self, target):
        other = threading.Thread(target=lambda: free.append(turn.acquire(blocking=False)))
        other.start()
        other.join()
        return put(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with duckdb.connect(str(file)) as connection:
        publish(connection.cursor(), file, turn)
    assert free == [False]


def test_a_copy_that_begins_during_another_keeps_the_setting(tmp_path, monkeypatch):
    file, turn = tmp_path / "warehouse.duckdb", threading.RLock()
    with duckdb.connect(str(file)) as connection:
        before = connection.execute("select current_setting('checkpoint_threshold')").fetchall()
        second = threading.Thread(target=publish, args=(connection.cursor(), file, turn))

        def copied(*_, **__):
            if second.ident is None:
                second.start()
                time.sleep(0.3)
            snapshot_path(file).with_suffix(".part").touch()

        monkeypatch.setattr(subprocess, "run", copied)
        publish(connection.cursor(), file, turn)
        second.join()
        assert connection.execute("select current_setting('checkpoint_threshold')").fetchall() == before
