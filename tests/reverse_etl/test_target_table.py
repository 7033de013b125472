"""What one batch does to a table: all or nothing, by key, with types, and nothing said of values."""

import os

import pytest
from target_database import deliver, table

from reverse_etl.deliver import Delivery
from reverse_etl.destination import DestinationRefused, NoAnswer, Outcome
from reverse_etl.testing import sample


def test_rows_are_inserted_changed_and_removed_by_key(database, monkeypatch):
    monkeypatch.setenv("CDP_NOW", "2026-01-01T00:00:00Z")
    deliver(table(), sample(table(), people=(1, 2, 3), first_name="Ann"))
    monkeypatch.setenv("CDP_NOW", "2026-01-02T00:00:00Z")
    deliver(
        table(),
        [*sample(table(), "change", (1,), first_name="Bea"), *sample(table(), "change", (2,), first_name="Ann")],
    )
    deliver(table(), sample(table(), "remove", (3,)))

    found = database.query("select profile_id, first_name, cast(_synced_at as date) from crm.vip order by 1")
    assert [(key, name, day.day) for key, name, day in found] == [
        ("profile_id-1", "Bea", 2),
        ("profile_id-2", "Ann", 1),
    ]


def test_a_flagged_row_keeps_its_key_and_nothing_else_and_may_come_back(database):
    destination = table(removal="flag")
    deliver(destination, sample(destination, people=(1,), first_name="Ann"))
    deliver(destination, sample(destination, "remove", (1,)))
    assert database.query("select profile_id, first_name, _removed_at is null from crm.vip") == [
        ("profile_id-1", None, False)
    ]

    deliver(destination, sample(destination, people=(1,), first_name="Ann"))
    assert database.query("select first_name, _removed_at is null from crm.vip") == [("Ann", True)]


def test_columns_have_types(database):
    fields = ("profile_id", "amount", "visits", "is_new", "since", "seen_at")
    kinds = [{"type": kind} for kind in ("number", "integer", "boolean", "date", "timestamp")]
    good = {"amount": 19.99, "visits": 3, "is_new": True, "since": "2026-01-02", "seen_at": "2026-01-02T03:04:05+01:00"}
    destination = table(fields, dict(zip(fields[1:], kinds, strict=True)))
    deliver(destination, sample(destination, people=(1,), **good))

    [(amount, visits, is_new, since, seen_at)] = database.query(f"select {', '.join(fields[1:])} from crm.vip")
    assert (float(amount), visits, is_new) == (19.99, 3, True)
    assert (str(since), str(seen_at)) == ("2026-01-02", "2026-01-02 02:04:05")


def test_constants_have_their_own_type(database):
    destination = table(templates={"is_member": True, "list": "vip", "weight": 2})
    deliver(destination, sample(destination, people=(1,), is_member=True, list="vip", weight=2))

    [(is_member, name, weight)] = database.query("select is_member, list, weight from crm.vip")
    assert (is_member, name, float(weight)) == (True, "vip", 2.0)


def test_a_null_that_is_skipped_leaves_what_is_there(database):
    rules = {"first_name": {"nulls": "skip"}, "joined": {"set_once": True}}
    destination = table(("profile_id", "first_name", "joined", "city"), rules)
    deliver(destination, sample(destination, people=(1,), first_name="Ann", joined="2026", city="Ulm"))
    deliver(destination, sample(destination, "change", people=(1,), city=None))

    assert database.query("select first_name, joined, city from crm.vip") == [("Ann", "2026", None)]


def test_a_row_the_table_refuses_is_rejected_alone(database):
    database.query("create schema crm")
    database.query(
        "create table crm.vip (profile_id varchar primary key, first_name varchar check (first_name <> 'Poison'))"
    )
    destination = table()
    changes = [*sample(destination, people=(1, 2)), *sample(destination, people=(3,), first_name="Poison")]
    receipts = deliver(destination, changes)

    assert [r.outcome for r in receipts] == [Outcome.DELIVERED, Outcome.DELIVERED, Outcome.REJECTED]
    assert receipts[2].code == "http_422"
    assert database.members("crm.vip") == {"profile_id-1", "profile_id-2"}


def test_a_batch_is_all_or_nothing(database):
    database.query("create schema crm")
    database.query("create table crm.vip (profile_id varchar primary key, first_name varchar not null)")
    destination = table()
    changes = [*sample(destination, people=(1,), first_name="Ann"), *sample(destination, people=(2,), first_name=None)]
    with destination.connect() as transport:
        assert transport(destination.request(changes)).status == 422

    assert database.members("crm.vip") == set()


def test_columns_mapped_later_are_added(database):
    deliver(table(), sample(table(), people=(1,), first_name="Ann"))
    wider = table(("profile_id", "first_name", "city"))
    deliver(wider, sample(wider, people=(2,), first_name="Bea", city="Ulm"))

    assert database.query("select first_name, city from crm.vip order by 1") == [("Ann", None), ("Bea", "Ulm")]


def test_a_key_that_is_not_mapped_is_a_column_all_the_same(database):
    destination = table(("first_name",))
    deliver(destination, sample(destination, people=(1,), first_name="Ann"))

    assert database.query("select profile_id, first_name from crm.vip") == [("profile_id-1", "Ann")]


@pytest.mark.parametrize("text", ["'; drop schema crm cascade; --", '"', "\\", "%s ? {}", "é\n\t"])
def test_values_are_values(database, text):
    deliver(table(), sample(table(), people=(1,), first_name=text))

    assert database.query("select first_name from crm.vip") == [(text,)]


def test_a_table_without_the_key_is_for_a_person_and_names_no_value(database):
    database.query("create schema crm")
    database.query("create table crm.vip (profile_id varchar, first_name varchar)")
    destination = table()
    with destination.connect() as transport:
        delivery = Delivery(destination, transport, float("inf"))
        receipts = delivery.deliver(sample(destination))

    assert {r.outcome for r in receipts} == {Outcome.DEFERRED}
    assert delivery.refusal == "config_http_404"


@pytest.mark.postgres
@pytest.mark.skipif(os.environ.get("CDP_TEST_POSTGRES") != "1", reason="needs PostgreSQL and CDP_TEST_POSTGRES=1")
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
class TestOnPostgres:
    def test_a_connection_that_is_cut_is_opened_again(self, database):
        destination = table()
        cut = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cdp sync'"
        with destination.connect() as transport:
            transport(destination.request(sample(destination, people=(1,))))
            database.query(cut)
            with pytest.raises(NoAnswer):
                transport(destination.request(sample(destination, people=(2,))))
            assert transport(destination.request(sample(destination, people=(2,)))).status == 200

        assert database.members("crm.vip") == {"profile_id-1", "profile_id-2"}

    def test_a_role_without_rights_is_for_a_person(self, database, monkeypatch):
        database.query("create schema crm")
        database.query(
            "create table crm.vip (profile_id varchar primary key, first_name varchar, "
            "_synced_at timestamp, _removed_at timestamp)"
        )
        database.query("drop role if exists nobody_at_all")
        database.query("create role nobody_at_all login")
        database.query("grant usage on schema crm to nobody_at_all")
        user = os.environ.get("PGUSER", "postgres")
        monkeypatch.setenv("SQL_TABLE_URL", database.address.replace(f"//{user}", "//nobody_at_all"))
        with pytest.raises(DestinationRefused, match="InsufficientPrivilege"), table().connect():
            pass

    @pytest.mark.usefixtures("database")
    def test_a_nul_character_is_a_wrong_row(self):
        destination = table()
        receipts = deliver(
            destination, [*sample(destination, people=(1,)), *sample(destination, people=(2,), first_name="\0")]
        )

        assert [r.outcome for r in receipts] == [Outcome.DELIVERED, Outcome.REJECTED]
