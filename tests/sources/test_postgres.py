"""The same loads into PostgreSQL: the same rows, types and refusals."""

import os
from datetime import datetime
from decimal import Decimal

import pytest

from sources.configuration import read_configuration
from sources.refusals import BadFile
from sources.warehouse import warehouse

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(not os.environ.get("CDP_TEST_POSTGRES"), reason="set CDP_TEST_POSTGRES=1 and PG*"),
]


@pytest.fixture
def server(town, monkeypatch):
    """A database of its own on the server, as empty as a new warehouse."""
    import psycopg2

    admin = psycopg2.connect(dbname=os.environ.get("PGDATABASE", "postgres"))
    admin.autocommit = True
    name = f"loading_{os.getpid()}"
    admin.cursor().execute(f"drop database if exists {name}")
    admin.cursor().execute(f"create database {name}")
    monkeypatch.setenv("CDP_TARGET", "postgres")
    monkeypatch.setenv("PGDATABASE", name)
    yield asked
    admin.cursor().execute(f"drop database {name} with (force)")
    admin.close()


def asked(query):
    with warehouse(read_configuration()) as raw:
        return raw.rows(query)


def test_files_land_typed_once_and_with_their_variants(town, server):
    town.drop(
        "shop/customers/a.csv",
        "id,name,phone,balance,visits,joined_at,tier\n"
        'c1,"Ann ""A"", Roe",212 555 0100,12.50,3,2017-01-03T10:00:00+02:00,\n'
        "c2,,,a lot,,,gold\n",
    )
    assert town.load().rows == {"customers": 2}
    assert town.load().rows == {}
    assert server(
        "select id, name, phone_e164, balance, visits, joined_at, tier, balance__v_text, _variants "
        "from raw.shop__customers order by id"
    ) == [
        ("c1", 'Ann "A", Roe', "+12125550100", Decimal("12.50"), 3, datetime(2017, 1, 3, 8), None, None, None),  # noqa: DTZ001
        ("c2", None, None, None, None, None, "gold", "a lot", "balance"),
    ]
    assert server("select sum(accepted_count) from raw.loads") == [(2,)]


def test_text_that_postgresql_refuses_is_landed_without_the_character_zero(town, server):
    town.drop_rows("shop/customers/a.jsonl", {"id": "a\0b", "extra": {"k": "\0"}, "name": "", "tier": "\\N"})
    town.load()
    assert server("select id, extra, name, tier from raw.shop__customers") == [("ab", '{"k":""}', None, "\\N")]


def test_tables_exist_before_rows_and_a_dropped_one_starts_again(town, server):
    town.load()
    assert server("select count(*) from raw.shop__visits") == [(0,)]
    town.drop_rows("shop/customers/a.jsonl", {"id": "c1"})
    town.load()
    with warehouse(read_configuration()) as raw:
        raw.change("drop table raw.shop__customers")
    assert town.load().rows == {"customers": 1}


def test_a_bad_file_leaves_raw_as_it_was(town, server):
    town.load()
    town.drop_rows("shop/customers/a.jsonl", {"id": "c1"})
    town.drop("shop/visits/b.csv", "id,page\nv1\n")
    with pytest.raises(BadFile):
        town.load()
    assert server("select count(*) from raw.shop__customers") == [(0,)]
