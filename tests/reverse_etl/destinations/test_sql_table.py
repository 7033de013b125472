"""A table elsewhere that follows the audience, on DuckDB and on PostgreSQL."""

import os

import duckdb
import pytest
from activation_town import VIP

from reverse_etl.deliver import Delivery
from reverse_etl.destination import DestinationRefused, NoAnswer, Outcome
from reverse_etl.destinations.sql_table import Destination
from reverse_etl.run import run_sync
from reverse_etl.sync import BadDeclaration, Sync
from reverse_etl.testing import check, sample

ENGINES = ["duckdb"]
if os.environ.get("CDP_TEST_POSTGRES") == "1":
    ENGINES.append(pytest.param("postgres", marks=pytest.mark.postgres))


class Database:
    """Reads what was written, through a connection of its own."""

    def __init__(self, engine, address):
        self.engine, self.address = engine, address

    def query(self, sql):
        if self.engine == "duckdb":
            with duckdb.connect(self.address.removeprefix("duckdb://")) as connection:
                return connection.execute(sql).fetchall()
        import psycopg2

        connection = psycopg2.connect(self.address)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            found = cursor.fetchall() if cursor.description else []
        connection.close()
        return found

    def members(self, table="crm.vip"):
        return {row[0] for row in self.query(f"select profile_id from {table}")}


@pytest.fixture(params=ENGINES)
def database(request, tmp_path, monkeypatch):
    address = f"duckdb://{tmp_path / 'target.duckdb'}"
    if request.param == "postgres":
        name = f":{os.environ['PGPASSWORD']}" if os.environ.get("PGPASSWORD") else ""
        user, host = os.environ.get("PGUSER", "postgres"), os.environ.get("PGHOST", "127.0.0.1")
        address = f"postgresql://{user}{name}@{host}:{os.environ.get('PGPORT', '5432')}/{os.environ['PGDATABASE']}"
    database = Database(request.param, address)
    database.query("drop schema if exists crm cascade")
    monkeypatch.setenv("SQL_TABLE_URL", address)
    return database


def table(fields=("profile_id", "first_name"), rules=None, templates=None, **options):
    return Destination(
        Sync(
            audience="vip",
            destination="sql_table",
            purpose="marketing",
            channel="email",
            fields={name: {"to": name, **(rules or {}).get(name, {})} for name in fields},
            templates=templates or {},
            options={"table": "crm.vip", **options},
        )
    )


def deliver(destination, changes):
    with destination.connect() as transport:
        return Delivery(destination, transport, float("inf"), sleep=lambda _: None).deliver(changes)


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


@pytest.mark.postgres
@pytest.mark.skipif(len(ENGINES) == 1, reason="needs PostgreSQL and CDP_TEST_POSTGRES=1")
@pytest.mark.parametrize("database", ENGINES[1:], indirect=True)
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
