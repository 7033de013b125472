import hashlib
import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.pipeline import load
from sources.refusals import BadDeclaration, BadFile, LoadFailed
from sources.source import load_source


def test_a_folder_of_files_lands_as_rows_of_raw(town):
    """The worked example: two formats, one table, every plumbing column."""
    town.drop("shop/customers/may.csv", "id,name,email,balance,visits\nc1,Ann,a@x.org,12.50,3\n")
    town.drop_rows("shop/customers/june.jsonl", {"id": "c2", "Name": "Bob", "phone": "212 555 0100"})
    report = town.load()
    assert report.rows == {"customers": 2}
    assert report.files == ["shop/customers/june.jsonl", "shop/customers/may.csv"]
    found = town.rows("select id, name, balance, visits, phone_e164 from raw.shop__customers order by id")
    assert [(*row,) for row in found] == [("c1", "Ann", 12.5, 3, None), ("c2", "Bob", None, None, "+12125550100")]
    plumbing = town.rows("select _row_id, _source_file, _row_number, _dlt_load_id from raw.shop__customers order by id")
    named = hashlib.md5(b"shop/customers/may.csv|1").hexdigest()  # noqa: S324
    assert plumbing[0] == (named, "shop/customers/may.csv", 1, report.load_ids[0])
    assert town.rows("select load_id from raw._dlt_loads where status = 0") == [(report.load_ids[0],)]


def test_moments_and_money_have_the_same_types_on_every_warehouse(town):
    town.load()
    kinds = dict(
        town.rows("select column_name, data_type from information_schema.columns where table_name = 'shop__customers'")
    )
    assert (kinds["balance"], kinds["visits"]) == ("DECIMAL(18,2)", "BIGINT")
    assert {kinds["joined_at"], kinds["_landed_at"]} == {"TIMESTAMP"}


def test_tables_exist_before_any_row_arrives(town):
    assert town.load().rows == {}
    assert set(town.everything()) >= {"shop__customers", "shop__visits", "loads", "schema_changes", "_dlt_loads"}
    assert town.customers() == []


def test_what_was_loaded_is_not_loaded_again(town):
    town.drop_rows("shop/customers/a.jsonl", {"id": "c1"})
    town.load()
    before = town.everything()
    again = town.load()
    assert (again.rows, again.load_ids) == ({}, ())
    assert town.everything() == before


def test_an_old_file_that_arrives_late_is_loaded(town):
    town.drop_rows("shop/customers/new.jsonl", {"id": "new"})
    town.load()
    late = town.drop_rows("shop/customers/2001.jsonl", {"id": "late"})
    os.utime(late, (1_000_000_000, 1_000_000_000))
    assert town.load().rows == {"customers": 1}
    assert town.customers() == ["late", "new"]


def test_a_changed_file_is_loaded_again_and_its_rows_have_new_ids(town):
    town.drop_rows("shop/customers/a.jsonl", {"id": "c1"})
    town.load()
    town.drop_rows("shop/customers/a.jsonl", {"id": "c1"}, {"id": "c2"})
    assert town.load().rows == {"customers": 2}
    assert town.customers() == ["c1", "c1", "c2"]
    assert town.rows("select count(distinct _row_id) from raw.shop__customers") == [(3,)]


def test_a_copy_of_a_file_is_loaded_and_known_by_its_content(town):
    town.drop_rows("shop/customers/a.jsonl", {"id": "c1"})
    town.drop_rows("shop/customers/a (copy).jsonl", {"id": "c1"})
    assert town.load().rows == {"customers": 2}
    assert town.rows("select count(distinct _row_id), count(distinct _row_hash) from raw.shop__customers") == [(2, 1)]


def test_half_written_hidden_and_foreign_files_are_left_alone(town):
    for name in (".a.jsonl.swp", "_a.jsonl", "notes.txt", ".hidden.csv"):
        town.drop(f"shop/customers/{name}", "not data")
    assert town.load().rows == {}


def test_only_the_tables_asked_for_are_loaded(town):
    town.drop_rows("shop/customers/a.jsonl", {"id": "c1"})
    town.drop_rows("shop/visits/a.jsonl", {"id": "v1"})
    assert town.load(tables=["visits"]).rows == {"visits": 1}
    assert town.load().rows == {"customers": 1}
    with pytest.raises(BadDeclaration, match="no table 'visit'"):
        town.load(tables=["visit"])


def test_accepted_rows_are_reported_per_file_with_the_rows(town):
    town.drop_rows("shop/customers/a.jsonl", {"id": "c1"}, {"id": "c2"})
    town.drop("shop/customers/empty.csv", "id,name\n")
    (load_id,) = town.load().load_ids
    reported = town.rows("select connector, table_name, load_id, source_file, accepted_count from raw.loads order by 4")
    assert reported == [
        ("shop", "customers", load_id, "shop/customers/a.jsonl", 2),
        ("shop", "customers", load_id, "shop/customers/empty.csv", 0),
    ]
    assert town.rows("select distinct _dlt_load_id from raw.loads") == [(load_id,)]


def test_changes_of_shape_are_kept_and_reported_in_three_words(town):
    """A new column, a value its type can't hold, and a column that isn't there."""
    town.drop("shop/customers/a.csv", "id,balance,tier\nc1,12.50,gold\nc2,a lot,\n")
    report = town.load()
    assert town.rows("select balance, balance__v_text, _variants, tier from raw.shop__customers order by id") == [
        (12.5, None, None, "gold"),
        (None, "a lot", "balance", None),
    ]
    reported = town.rows("select column_name, change, row_count from raw.schema_changes order by change, column_name")
    assert ("tier", "new", 1) in reported
    assert ("balance", "retyped", 1) in reported
    assert ("email", "missing", 2) in reported
    assert len(reported) == len(report.changes)
    assert [change.sentence() for change in report.noteworthy()] == [
        "customers.balance: retyped in shop/customers/a.csv (1 rows)",
        "customers.tier: new in shop/customers/a.csv (1 rows)",
    ]


def test_a_column_that_appears_later_is_null_in_the_rows_before(town):
    town.drop_rows("shop/customers/a.jsonl", {"id": "c1"})
    town.load()
    town.drop_rows("shop/customers/b.jsonl", {"id": "c2", "tier": "gold"})
    town.load()
    assert town.rows("select id, tier from raw.shop__customers order by id") == [("c1", None), ("c2", "gold")]


def test_a_bad_file_leaves_raw_exactly_as_it_was(town):
    """Not even the good files of the run are loaded, and they are once the bad one is repaired."""
    town.drop_rows("shop/customers/a.jsonl", {"id": "c1"})
    town.load()
    before = town.everything()
    town.drop_rows("shop/customers/b.jsonl", {"id": "c2"})
    bad = town.drop("shop/visits/c.csv", "id,page\nv1,/a\nv2,jane.roe@example.org,x\n")
    said = r"shop\.visits: shop/visits/c\.csv: line 3: expected 2 columns, found 3"
    with pytest.raises(BadFile, match=said) as refusal:
        town.load()
    assert "jane" not in str(refusal.value)
    assert town.everything() == before
    bad.write_text("id,page\nv1,/a\n")
    assert town.load().rows == {"customers": 1, "visits": 1}


def test_a_bad_file_in_one_source_does_not_touch_another(town):
    town.drop("crm/contacts/a.csv", "id\n1,2\n")
    town.drop_rows("support/users/a.jsonl", {"id": "u1"})
    with pytest.raises(BadFile, match=r"crm\.contacts"):
        town.load(load_source("crm"))
    assert town.load(load_source("support")).rows == {"users": 1}


def test_trouble_other_than_a_file_is_said_without_any_content(town, monkeypatch):
    monkeypatch.setattr("sources.origins.folder.Folder.read", unreachable)
    town.drop_rows("shop/customers/a.jsonl", {"id": "c1"})
    with pytest.raises(LoadFailed, match="shop: the step 'extract' failed: PermissionError") as failure:
        town.load()
    assert "jane" not in str(failure.value)
    assert failure.value.__cause__ is None


def unreachable(*_):
    raise PermissionError("jane.roe@example.org may not read this")
    yield


def test_the_clock_of_a_load_can_be_set(town, monkeypatch):
    monkeypatch.setenv("CDP_NOW", "2017-05-01T10:00:00+02:00")
    town.drop_rows("shop/customers/a.jsonl", {"id": "c1"})
    town.load()
    assert str(town.rows("select distinct _landed_at from raw.shop__customers")[0][0]) == "2017-05-01 08:00:00"


def test_the_warehouse_file_is_free_after_a_load(town):
    town.load()
    town.change("create table main.mine (a int)")


def test_a_load_without_news_does_not_open_the_warehouse(town, monkeypatch):
    town.drop_rows("shop/customers/a.jsonl", {"id": "c1"})
    town.load()

    def locked(*_):
        raise AssertionError("opened")

    monkeypatch.setattr("sources.pipeline.warehouse", locked)
    assert town.load().seconds < 1


def test_two_processes_that_load_one_source_at_once_load_it_once(town):
    town.drop_rows("support/users/a.jsonl", {"id": "u1"}, {"id": "u2"})
    command = [sys.executable, "-m", "sources", "load", "support"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = sorted(process.communicate()[0].split(" (")[0] for process in both)
    assert said == ["support: 2 users", "support: nothing new"]
    assert town.rows("select count(*) from raw.support__users") == [(2,)]


def test_a_source_reads_its_settings_from_the_environment(town):
    town.drop_rows("crm/contacts/a.jsonl", {"id": "c1"})
    assert load(load_source("crm")).rows == {"contacts": 1}


EXAMPLES = 40 if os.environ.get("CDP_TEST_WHOLE") else 4
FILES = st.sampled_from(["a", "b", "c"])


@pytest.mark.slow
@given(history=st.lists(st.tuples(FILES, st.integers(1, 3)), min_size=1, max_size=4), pauses=st.sets(st.integers(0, 3)))
@settings(
    max_examples=40 if os.environ.get("CDP_TEST_WHOLE") else 4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_the_history_of_the_folder_raw_holds_every_version_once(town, tmp_path_factory, history, pauses):
    """Files appear and change; a load happens now and then. Each version that a load saw is there, once."""
    name = tmp_path_factory.mktemp("h").name  # its own folder of the inbox, so examples don't meet
    source = load_source("support")
    expected, waiting, stamps = 0, {}, {}
    before = town.load(source).rows.get("users", 0)
    for step, (file, size) in enumerate([*history, ("a", 1)]):
        if stamps.get(file) != size:
            path = town.drop_rows(f"support/users/{name}/{file}.jsonl", *[{"id": f"{step}-{n}"} for n in range(size)])
            os.utime(path, (1_500_000_000 + step, 1_500_000_000 + step))
            stamps[file], waiting[file] = size, size
        if step in pauses or step == len(history):
            expected += sum(waiting.values())
            assert town.load(source).rows.get("users", 0) == sum(waiting.values())
            waiting = {}
    assert before == 0
    found = town.rows(
        f"select count(*), count(distinct _row_id) from raw.support__users where _source_file like '%/{name}/%'"
    )
    assert found == [(expected, expected)]
