"""`cdp identity train` and `report`: from a warehouse to weights and a page."""

from __future__ import annotations

import sys

import duckdb
import pytest
from typer.testing import CliRunner

from dagster_cdp.cli import app
from dagster_cdp.matching import parameters

RECORDS = """
create table identity.person_records as
select
    'r-' || n || '-' || copy as record_key, n as node_id, false as is_withdrawn,
    'name' || substr('abcdefghijklmnopqrst', 1 + n % 20, 1) as first_name, first_name as canonical_first_name,
    'family' || substr('abcdefghijklmnopqrstuvw', 1 + n % 23, 1) || substr('zyxwvutsrqponmlkjih', 1 + n % 19, 1)
        as last_name,
    date '1950-01-01' + cast(n * 31 as integer) as birth_on, n || ' oak street' as address_line,
    '100' || (n % 60) as postal_code, 'city ' || substr('abcde', 1 + n % 5, 1) as city,
    'n' || n || '@example.com' as email, '+1202555' || n as phone, timestamp '2026-01-01' as _landed_at, 1 as _batch
from range(300) as people(n), (values (0), (1)) as copies(copy)
"""


@pytest.fixture
def seed(tmp_path, monkeypatch):
    """The project's weights, in a copy that a test may write."""
    copy = tmp_path / "match_parameters.csv"
    copy.write_text(parameters.FILE.read_text())
    monkeypatch.setattr(parameters, "FILE", copy)
    monkeypatch.setattr(parameters.write_parameters, "__defaults__", (copy,))
    return copy


@pytest.fixture
def warehouse(cdp_home):
    with duckdb.connect(str(cdp_home / "warehouse.duckdb")) as connection:
        connection.execute("create schema identity")
        connection.execute(RECORDS)
    return cdp_home


def run(*arguments: str):
    return CliRunner().invoke(app, ["identity", *arguments])


def test_training_writes_the_seed_and_a_report(warehouse, seed):
    pytest.importorskip("splink", reason="needs the extra `matching`")
    before = seed.read_text()
    outcome = run("train", "--model", "people")
    assert outcome.exit_code == 0, outcome.output
    assert seed.read_text() != before
    assert "device,prior" in seed.read_text()
    assert (warehouse / "reports" / "matching_person.html").read_text().startswith("<!doctype html>")


def test_a_report_needs_no_training_and_no_splink(warehouse, monkeypatch):
    monkeypatch.setitem(sys.modules, "splink", None)
    outcome = run("report", "--model", "people")
    assert outcome.exit_code == 0, outcome.output
    assert (warehouse / "reports" / "matching_person.html").exists()


def test_training_without_splink_says_what_to_install(warehouse, monkeypatch):
    monkeypatch.setitem(sys.modules, "splink", None)
    outcome = run("train")
    assert "pip install -e '.[matching]'" in str(outcome.exception)
    assert "\n" not in str(outcome.exception)


def test_an_empty_warehouse_is_told_to_run_first(cdp_home):
    duckdb.connect(str(cdp_home / "warehouse.duckdb")).close()
    assert "run `cdp run` first" in str(run("report", "--model", "people").exception)
