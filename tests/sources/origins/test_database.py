import json
from datetime import datetime

import pytest
import sqlalchemy as sa

from sources.refusals import BadConfiguration
from sources.source import load_source

FINANCE = load_source("finance")


@pytest.fixture
def books(town, monkeypatch):
    """The finance database: charges with a moment of change, refunds without."""
    address = f"sqlite:///{town.home}/books.sqlite"
    monkeypatch.setenv("SOURCES__FINANCE__ORIGIN", "database")
    monkeypatch.setenv("SOURCES__FINANCE__DATABASE__URL", address)
    tables = {"payments": {"name": "charges", "cursor": "created"}}
    monkeypatch.setenv("SOURCES__FINANCE__DATABASE__TABLES", json.dumps(tables))
    engine = sa.create_engine(address)
    with engine.begin() as connection:
        connection.execute(sa.text("create table charges (id text, amount integer, created datetime, paid boolean)"))
        connection.execute(sa.text("create table refunds (id text primary key, amount integer)"))
    yield lambda *statements: run(engine, statements)
    engine.dispose()


def run(engine, statements):
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def charge(name, at):
    return f"insert into charges values ('{name}', 1250, '{at}', true)"


def test_a_table_of_a_database_lands_typed_like_a_file(town, books):
    books(charge("p1", "2017-01-03 10:00:00"), "insert into refunds values ('r1', 100)")
    assert town.load(FINANCE).rows == {"payments": 1, "refunds": 1}
    assert town.rows("select id, amount, created, paid, _source_file, _row_number from raw.finance__payments") == [
        ("p1", 1250, datetime(2017, 1, 3, 10), True, "", 1)  # noqa: DTZ001
    ]


def test_only_what_is_new_since_the_cursor_is_read_and_ties_are_not_lost(town, books):
    """Two rows share the newest moment, one of them arrives after the load: it must not be missed."""
    books(charge("p1", "2017-01-02 10:00:00"), charge("p2", "2017-01-03 10:00:00"))
    assert town.load(FINANCE).rows == {"payments": 2}
    books(charge("p3", "2017-01-03 10:00:00"), charge("p4", "2017-01-04 10:00:00"))
    assert town.load(FINANCE).rows == {"payments": 2}
    assert town.load(FINANCE).rows == {}
    assert town.rows("select count(*), count(distinct _row_id), count(distinct id) from raw.finance__payments") == [
        (4, 4, 4)
    ]


def test_a_table_without_a_cursor_is_read_whole_and_a_row_read_twice_has_one_id(town, books):
    books("insert into refunds values ('r1', 100)")
    town.load(FINANCE)
    town.load(FINANCE)
    assert town.rows("select count(*), count(distinct _row_id) from raw.finance__refunds") == [(2, 1)]


def test_a_dropped_raw_table_is_read_from_the_start(town, books):
    books(charge("p1", "2017-01-02 10:00:00"))
    town.load(FINANCE)
    town.change("drop table raw.finance__payments")
    assert town.load(FINANCE).rows == {"payments": 1}


def test_a_table_the_database_does_not_have_is_refused_with_the_setting_to_change(town, books):
    books("drop table charges")
    setting = r"no table charges; name it in \[sources\.finance\.database\.tables\.payments\]"
    with pytest.raises(BadConfiguration, match=setting):
        town.load(FINANCE)


def test_a_database_without_an_address_is_refused_with_the_variable_to_set(town, monkeypatch):
    monkeypatch.setenv("SOURCES__FINANCE__ORIGIN", "database")
    with pytest.raises(BadConfiguration, match="set SOURCES__FINANCE__DATABASE__URL"):
        town.load(FINANCE)
