"""The two engines behind one protocol, and a warehouse that somebody else holds."""

import subprocess
import sys

import duckdb
import pytest

from reverse_etl.warehouse import WarehouseUnavailable, open_warehouse, quoted


def test_parameters_rows_and_statements_without_rows(warehouse):
    warehouse.execute("create schema audiences")
    warehouse.execute("create table audiences.t (a text, b bigint, c boolean)")

    assert warehouse.execute("insert into audiences.t values (?, ?, ?)", ["x%?", 1, None]) in ([], [(1,)])
    assert warehouse.execute("select a, b, c from audiences.t where a = ?", ["x%?"]) == [("x%?", 1, None)]


def test_many_rows_at_once_keep_their_values(warehouse):
    warehouse.execute("create schema audiences")
    warehouse.execute("create table audiences.t (a text, b bigint, c boolean)")
    rows = [("é'\"\\ \n", 2**62, True), (None, None, None), ("", -1, False)]

    warehouse.insert("audiences.t", ("a", "b", "c"), rows)
    warehouse.insert("audiences.t", ("a", "b", "c"), [])

    assert sorted(warehouse.execute("select * from audiences.t"), key=str) == sorted(rows, key=str)


def test_a_transaction_is_all_or_nothing(warehouse):
    warehouse.execute("create schema audiences")

    def fail_halfway():
        with warehouse.transaction():
            warehouse.execute("create table audiences.t (a text)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()

    with warehouse.transaction():
        warehouse.execute("create table audiences.t (a text)")


@pytest.mark.parametrize("name", ["", "A", "a b", 'a"b', "a;b", "1a", "a" * 64, "a.b"])
def test_what_is_no_identifier_never_reaches_sql(name):
    with pytest.raises(ValueError, match="not a name"):
        quoted(name)


def test_a_held_file_is_waited_for_and_its_holder_named(cdp_home):
    path = cdp_home / "warehouse.duckdb"
    duckdb.connect(str(path)).close()
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()",
            path,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    holder.stdout.readline()
    with pytest.raises(WarehouseUnavailable, match=str(holder.pid)):
        open_warehouse(wait_seconds=0.3)

    holder.communicate(b"\n")

    open_warehouse(wait_seconds=10).close()


@pytest.mark.parametrize("content", [b"garbage", None], ids=["another file", "a folder"])
def test_what_is_no_warehouse_is_named_at_once(tmp_path, monkeypatch, content):
    """Though its name speaks of locks, as a message of DuckDB's does while one waits for another process."""
    path = tmp_path / "locksmith.duckdb"
    path.mkdir() if content is None else path.write_bytes(content)
    monkeypatch.setenv("CDP_WAREHOUSE", str(path))
    with pytest.raises(WarehouseUnavailable, match=r"locksmith.duckdb can't be opened \(.*\): point CDP_WAREHOUSE"):
        open_warehouse()


def test_an_unknown_target_is_refused(monkeypatch):
    monkeypatch.setenv("CDP_TARGET", "abacus")
    with pytest.raises(WarehouseUnavailable, match="set it to duckdb or postgres"):
        open_warehouse()


def test_a_server_that_does_not_answer_is_named(monkeypatch):
    pytest.importorskip("psycopg2")
    monkeypatch.setenv("CDP_TARGET", "postgres")
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", "1")
    with pytest.raises(WarehouseUnavailable, match="does not answer"):
        open_warehouse()
