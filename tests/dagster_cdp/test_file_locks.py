"""Looking whether a file is locked tells the truth, and takes no lock from anybody."""

import subprocess
import sys

import duckdb
import pytest

from dagster_cdp.file_locks import may_be_locked_elsewhere

HOLD = "import duckdb, sys; kept = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
OPEN = "import duckdb, sys; duckdb.connect(sys.argv[1])"


@pytest.fixture
def file(tmp_path):
    duckdb.connect(tmp_path / "warehouse.duckdb").close()
    return tmp_path / "warehouse.duckdb"


def test_it_is_locked_while_another_process_has_it_open(file):
    assert not may_be_locked_elsewhere(file)
    command = [sys.executable, "-c", HOLD, file]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "open\n"
        assert may_be_locked_elsewhere(file)
        other.communicate("")
    assert not may_be_locked_elsewhere(file)


def test_a_connection_of_this_process_keeps_its_lock_when_somebody_looks(file):
    with duckdb.connect(file):
        assert not may_be_locked_elsewhere(file)
        ran = subprocess.run([sys.executable, "-c", OPEN, file], capture_output=True, text=True, check=False)
    assert "lock" in ran.stderr


def test_a_file_that_was_replaced_is_looked_at_anew(file):
    assert not may_be_locked_elsewhere(file)
    file.unlink()
    duckdb.connect(file).close()
    test_it_is_locked_while_another_process_has_it_open(file)


def test_a_platform_whose_answer_cannot_be_read_may_be_locked(file, monkeypatch):
    monkeypatch.setattr(sys, "platform", "plan9")
    assert may_be_locked_elsewhere(file)
