"""What is asked for and isn't there, or can't be, is one line that says what to do, and exit code 2."""

import json
import socket
import sys

import duckdb
import pytest

from dagster_cdp import cli, serve_commands
from dagster_cdp.gates import Verdict
from dagster_cdp.gates.verdict import open_verdicts, record
from dagster_cdp.warehouse import connect

ADDRESS = "ann@mail.test"
PASSED = Verdict("raw.shop__orders", "1.0..1.0", "hash", is_passed=True, row_count=9)


@pytest.fixture
def cdp(cdp_home, monkeypatch, capsys):
    """Run the command as the shell does: (exit code, what it said, its errors), on a warehouse of one verdict."""
    duckdb.connect(str(cdp_home / "warehouse.duckdb")).close()
    with connect("test") as warehouse:
        open_verdicts(warehouse)
        record(PASSED, warehouse)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["cdp", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return run


def test_a_table_that_no_gate_has_judged(cdp):
    code, _, errors = cdp("gate", "accept", "raw.typo", "--by", "dana", "--reason", "known")
    assert (code, errors) == (2, "cdp: raw.typo has no verdict: run its gate first, or see `cdp gate list`\n")


def test_a_selection_of_nothing(cdp, monkeypatch):
    import dagster as dg

    monkeypatch.setattr("dagster_cdp.definitions.definitions", dg.Definitions)
    code, _, errors = cdp("run", "--select", "group:typo")
    assert code == 2
    assert errors.splitlines()[-1].startswith("cdp: nothing is selected by 'group:typo': write it like")


@pytest.mark.parametrize(
    "words",
    [
        ("demo", "--households", "0"),
        ("demo", "--scale", "0"),
        ("serve", "--longest-age", "0"),
        ("live", "--snapshot-every", "-1"),
        ("identity", "review", "--limit", "0"),
        ("identity", "bridges", "--limit", "0"),
        ("sync", "log", "vip_to_sandbox", "--limit", "0"),
    ],
)
def test_a_number_that_means_nothing(cdp, words):
    code, _, errors = cdp(*words)
    assert code == 2
    assert "Invalid value" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(("port", "why"), [(0, "in use"), (99_999_999, "there is no such port")])
def test_an_address_that_can_not_be_had_costs_no_publication(cdp, monkeypatch, port, why):
    monkeypatch.setattr(serve_commands, "_publish_beside", pytest.fail)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said, errors = cdp("serve", "--port", str(port or taken.getsockname()[1]))
    assert (code, said) == (2, "")
    assert why in errors
    assert errors.endswith("try another --host or --port\n")


def test_a_file_that_can_not_be_written(cdp, monkeypatch, tmp_path):
    """Any error of the operating system that names a file."""
    monkeypatch.setattr("dagster_cdp.summary.read_status", (tmp_path / "nowhere" / "page.html").touch)
    code, _, errors = cdp("status")
    assert (code, errors) == (2, f"cdp: {tmp_path}/nowhere/page.html: No such file or directory\n")


@pytest.mark.parametrize("cause", [None, KeyError("a bug")], ids=["the error itself", "what another came from"])
def test_an_error_that_quotes_a_row_is_told_without_its_words(cdp, monkeypatch, cause):
    def fail():
        try:
            duckdb.execute("select cast(? as integer)", [ADDRESS])
        except duckdb.ConversionException as error:
            if cause:
                raise cause from error
            raise

    monkeypatch.setattr("dagster_cdp.summary.read_status", fail)
    code, _, errors = cdp("status")
    assert code == 1
    assert errors.startswith(f"cdp: {type(cause).__name__ if cause else 'ConversionException'} at test_cli.py:")
    assert errors.endswith(": its words may quote a row and are not shown\n")
    assert ADDRESS not in errors


def test_verdicts_are_listed_for_machines_too(cdp):
    code, said, _ = cdp("gate", "list", "--json")
    [verdict] = json.loads(said)
    assert code == 0
    assert verdict.pop("checked_at")
    assert verdict == {"table": PASSED.table, "batch": PASSED.batch_id, "passed": True, "failed_expectations": ""}
