"""While there is an owner everybody else works through it, with the words they always use."""

from __future__ import annotations

import os

import duckdb
import pytest
from shoppers import EVENTS, Shoppers

from dagster_cdp.live.gate import NotHot
from dagster_cdp.live.owner import Owner
from dagster_cdp.live.service import Service
from dagster_cdp.patience import WarehouseBusy
from dagster_cdp.warehouse import ask_owner, connect, turn
from reverse_etl import remote
from reverse_etl.remote import OwnerGone, RemoteWarehouse, Session, address_of, session_with_owner
from reverse_etl.warehouse import WarehouseUnavailable


@pytest.fixture
def served(live, home):
    """The warehouse of `live`, offered at its socket, as if this process were not the owner."""
    service = Service(
        home / "warehouse.duckdb", live.connection, {"double": lambda tell, number: (tell("now"), number * 2)[1]}
    )
    yield live
    service.close()


def test_statements_run_there(served):
    with connect() as warehouse:
        assert isinstance(warehouse, RemoteWarehouse)
        warehouse.execute("create table ops.notes (word varchar, amount integer)")
        warehouse.insert("ops.notes", ["word", "amount"], [["a", 1], ["b", None]])
        assert warehouse.execute("select * from ops.notes where word = ?", ["b"]) == [("b", None)]
    assert served.rows("select count(*) from ops.notes") == [(2,)]


def test_what_was_not_committed_is_rolled_back_when_its_session_ends(served, home):
    served.connection.execute("create table ops.notes (word varchar)")
    session = session_with_owner(home / "warehouse.duckdb")
    warehouse = RemoteWarehouse(session)
    warehouse.execute("begin transaction")
    warehouse.execute("insert into ops.notes values ('a')")
    warehouse.close()
    with connect() as after:
        assert after.execute("select * from ops.notes") == []


def test_an_error_is_the_askers(served):
    with connect() as warehouse, pytest.raises(Exception, match="nowhere"):
        warehouse.execute("select * from nowhere")


def test_batches_take_turns(served):
    with turn("one"):
        session = session_with_owner_of(served)
        assert session.ask("turn", 1, "two")["purpose"] == "one"
        session.close()
    with turn("three", timeout=1):
        pass


def session_with_owner_of(_live) -> Session:
    from sources.configuration import read_configuration

    session = session_with_owner(read_configuration().warehouse)
    assert session is not None
    return session


def test_a_batch_that_waits_is_told_who_has_the_place(served):
    held = session_with_owner_of(served)
    assert held.ask("turn", 1, "a long build") is None
    with pytest.raises(WarehouseBusy, match="a long build"), turn("me", timeout=0.2):
        pass
    held.close()


def test_a_job_tells_while_it_works(served):
    heard = []
    assert ask_owner("double", 21, hear=heard.append) == 42
    assert heard == ["now"]


def test_without_an_owner_it_is_said_so(home):
    with pytest.raises(OwnerGone, match="cdp live"):
        ask_owner("status")


def test_a_socket_left_behind_is_nobody(home):
    (home / "warehouse.duckdb.sock").touch()
    assert session_with_owner(home / "warehouse.duckdb") is None


def test_a_socket_of_another_user_is_nobody(served, home, monkeypatch):
    """A long path's socket lies where anybody may make one; what it answers would be unpickled here."""
    me = os.getuid()
    with connect() as warehouse:
        assert isinstance(warehouse, RemoteWarehouse)
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    assert session_with_owner(home / "warehouse.duckdb") is None


def test_who_comes_while_the_owner_ends_is_told_that_it_is_gone(tmp_path):
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        service = Service(file, connection, {})
    session = session_with_owner(file)
    with pytest.raises(OwnerGone):
        session.ask("execute", "select 1", [])
    service.close()


def test_a_long_path_has_a_short_address(tmp_path):
    assert len(address_of(tmp_path / ("x" * 200) / "warehouse.duckdb")) <= remote.LONGEST_PATH


def test_cycles_go_on_while_somebody_reads_and_writes(served):
    with connect() as warehouse:
        warehouse.execute("create table ops.notes (word varchar)")
        warehouse.execute("begin transaction")
        warehouse.execute("insert into ops.notes values ('a')")
        served.write([line for line in Shoppers(3).lines(20) if line[0] == EVENTS])
        served.catch_up()
        warehouse.execute("commit")
    assert served.rows("select count(*) > 0 from profiles.profile_events") == [(True,)]


@pytest.mark.parametrize(
    ("target", "file", "why"),
    [
        ("postgres", "built", "owns a DuckDB file: start it with CDP_TARGET=duckdb"),
        ("duckdb", None, "no warehouse at .*: build it first"),
        ("duckdb", "empty", "not built yet: .*; run `cdp run` once"),
    ],
)
def test_nothing_is_owned_where_there_is_nothing(home, monkeypatch, target, file, why):
    monkeypatch.setenv("CDP_TARGET", target)
    warehouse = home / "warehouse.duckdb"
    if file != "built":
        warehouse.unlink()
    if file == "empty":
        duckdb.connect(str(warehouse)).close()
    with pytest.raises((NotHot, WarehouseUnavailable), match=why):
        Owner().run()
    assert warehouse.exists() == bool(file)
    with pytest.raises(OwnerGone):
        ask_owner("status")
