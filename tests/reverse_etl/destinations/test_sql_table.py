"""A table elsewhere is the consented audience, on DuckDB and on PostgreSQL."""

import pytest
from activation_town import VIP
from target_database import deliver, table

from reverse_etl.destination import Change, DestinationRefused, load_destination
from reverse_etl.drift import drift
from reverse_etl.read_back import Reader, known_as
from reverse_etl.run import run_sync
from reverse_etl.sync import BadDeclaration
from reverse_etl.testing import check, sample


def test_it_conforms(database):
    def holds(change):
        return change.identifiers["profile_id"] in database.members("crm.vip")

    destination = table(("profile_id", "visits"), {"visits": {"type": "integer"}})
    check(destination, holds=holds, poison={"visits": "many"}, over_http=False)


def test_it_conforms_when_removals_only_flag(database):
    def holds(change):
        key = change.identifiers["profile_id"]
        return bool(database.query(f"select 1 from crm.vip where profile_id = '{key}' and _removed_at is null"))

    check(table(removal="flag"), holds=holds, over_http=False)


def test_the_table_is_the_consented_audience_after_each_run(database, town, warehouse):
    sync = VIP.model_copy(update={"destination": "sql_table", "options": {"table": "crm.vip"}})

    def after(people, refusing=()):
        town.audience(people)
        for name in refusing:
            town.consent(name, is_granted=False)
        run_sync(warehouse, sync, gate="ignored", approve=True)
        return {row[0] for row in database.query("select external_id from crm.vip")}

    assert after(["ann", "bob", "cy"]) == {"ann", "bob", "cy"}
    assert after(["ann", "dee"]) == {"ann", "dee"}
    assert after(["ann", "dee"], refusing=["dee"]) == {"ann"}


def test_a_file_is_its_owners_only(database, tmp_path):
    if database.engine != "duckdb":
        pytest.skip("a server's files are the server's")
    (tmp_path / "target.duckdb").unlink()
    deliver(table(), sample(table()))

    assert (tmp_path / "target.duckdb").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "address", ["mysql://h/x", "postgresql://u:hidden@127.0.0.1:1/x", "duckdb:///no/such/folder/x"]
)
def test_a_database_that_cannot_be_opened_is_for_a_person_without_its_password(monkeypatch, address):
    monkeypatch.setenv("CRM_DATABASE", address)

    with pytest.raises(DestinationRefused) as refused, table(url_variable="CRM_DATABASE").connect():
        pass
    assert "hidden" not in str(refused.value)


def test_without_an_address_nothing_is_tried(monkeypatch):
    monkeypatch.delenv("SQL_TABLE_URL", raising=False)

    with pytest.raises(DestinationRefused, match="set SQL_TABLE_URL"), table().connect():
        pass


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"table": "vip"}, "schema.table"),
        ({"table": 'crm."vip'}, "schema.table"),
        ({"table": "crm.Vip"}, "schema.table"),
        ({"removal": "truncate"}, "delete or flag"),
    ],
)
def test_wrong_options_are_one_line(options, reason):
    with pytest.raises(BadDeclaration, match=reason):
        table(**options)


@pytest.mark.parametrize("removal", ["delete", "flag"])
def test_its_keys_are_read_back_page_by_page_and_are_those_of_the_journal(
    database, town, warehouse, monkeypatch, removal
):
    monkeypatch.setattr("reverse_etl.destinations.sql_table.MOST_ON_A_PAGE", 3)
    sync = VIP.model_copy(
        update={"destination": "sql_table", "options": {"table": "crm.vip", "removal": removal}, "key": "first_name"}
    )
    town.audience({f"p{n}": {"first_name": f"2026-01-0{n} 03:04:05"} for n in range(1, 9)})
    for wanted in (range(1, 9), range(1, 7)):
        town.audience({f"p{n}": {"first_name": f"2026-01-0{n} 03:04:05"} for n in wanted})
        run_sync(warehouse, sync, gate="ignored", approve=True)
    assert not drift(warehouse, sync, load_destination(sync)).differs

    database.query("delete from crm.vip where first_name like '2026-01-02%'")

    found = drift(warehouse, sync, load_destination(sync))
    assert (found.ours, found.theirs, found.missing, found.unexpected) == (6, 5, 1, 0)


@pytest.mark.parametrize(
    ("kind", "value"), [("integer", 7), ("timestamp", "2026-01-02T03:04:05Z"), ("date", "2026-01-02")]
)
def test_a_key_of_any_type_is_known_again(database, kind, value):
    destination = table(("profile_id", "first_name"), {"profile_id": {"type": kind}})
    row = Change("o", "add", "m", {"profile_id": value}, {})
    deliver(destination, [row])

    with destination.connect() as send:
        assert list(Reader(destination, send).members()) == [known_as(destination, row.identifiers)]
