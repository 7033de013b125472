"""Other identifier rules tried beside the real tables, on the demo line."""

import csv

import pytest

from dagster_cdp import dbt
from dagster_cdp.identity import what_if as trial
from dagster_cdp.identity.proposed_rules import BadRules

SCHEMAS = ("raw", "staging", "identity", "profiles", "audiences", "activation", "ops")


@pytest.fixture
def rules(tmp_path):
    """The rules as they are, but for some columns of some types."""

    def write(**changes):
        with (dbt.FOLDER / trial.SEED).open(newline="") as opened:
            rows = list(csv.DictReader(opened))
        for row in rows:
            row.update(changes.get(row["identifier_type"], {}))
        file = tmp_path / "proposed.csv"
        with file.open("w", newline="") as opened:
            writer = csv.DictWriter(opened, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        return file

    return write


def checksums(line):
    """Rows and a sum over their hashes, of every table there is."""
    from dagster_cdp.warehouse import connect

    tables = (
        "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE' order by 1, 2"
    )
    with connect("test") as warehouse:
        return {
            f"{schema}.{name}": warehouse.execute(f'select count(*), sum(hash(told)) from {schema}."{name}" as told')
            for schema, name in warehouse.execute(tables)
        }


@pytest.mark.whole
def test_a_trial_shows_merges_and_leaves_everything_as_it_was(line, rules):
    """One login per person no more: whoever shares an address or a telephone becomes one."""
    before = checksums(line)
    anyone = {"max_per_profile": "", "max_user_ids": "", "max_loyalty_numbers": "", "max_crm_contacts": ""}
    found = trial.what_if(rules(user_id=anyone, loyalty_number=anyone, email=anyone, phone=anyone, device_id=anyone))
    assert found.profiles_merging > found.merged_into > 0
    assert found.profiles_after < found.profiles_before
    assert found.merges
    assert set(found.audiences) == {name.split(".")[1] for name in before if name.startswith("audiences.")}
    assert found.consents
    assert checksums(line) == before
    assert {schema for (schema,) in line.ask("select schema_name from information_schema.schemata")} >= set(SCHEMAS)
    assert line.ask("select count(*) from information_schema.schemata where schema_name like 'what_if%'") == [(0,)]


@pytest.mark.whole
def test_the_rules_as_they_are_change_nothing(line, rules):
    found = trial.what_if(rules())
    assert found.profiles_before == found.profiles_after
    assert (found.profiles_merging, found.profiles_splitting) == (0, 0)
    assert [change for change in found.audiences.values() if change.coming_in or change.going_out] == []
    assert [change for change in found.consents if change.granted or change.no_longer_granted] == []


def test_a_trial_that_fails_or_is_refused_keeps_nothing(line, rules, monkeypatch):
    """What a whole trial builds is dropped in the tests above; here something of it is there when it fails."""
    before = checksums(line)
    with pytest.raises(BadRules):
        trial.what_if(rules(email={"strength": "firm"}))
    begin = "create schema what_if_identity; create table what_if_identity.identifiers as select 1 as node_id"
    monkeypatch.setattr(trial, "_build", lambda *_: line.ask(begin))
    monkeypatch.setattr(trial, "compare", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        trial.what_if(rules())
    assert checksums(line) == before
    assert line.ask("select count(*) from information_schema.schemata where schema_name like 'what_if%'") == [(0,)]
