"""The command: what it prints, for people and for machines, and what its exit codes mean."""

import json

import duckdb
import httpx
import pytest
from activation_town import Town

from reverse_etl.__main__ import main
from reverse_etl.commands import COMMANDS
from reverse_etl.sandbox.server import running
from reverse_etl.sync import all_syncs
from reverse_etl.warehouse import DuckDBWarehouse

ADDRESS = "ann@mail.test"


@pytest.fixture
def town(cdp_home):
    """A warehouse file with two who consent and one who doesn't, checked and passed."""
    warehouse = DuckDBWarehouse(duckdb.connect(str(cdp_home / "warehouse.duckdb")))
    town = Town(warehouse)
    warehouse.execute(
        "alter table audiences.vip add column year_order_amount decimal(18,2); "
        "alter table audiences.vip add column year_order_count integer"
    )
    rows = [(n, f"{n}@example.com", n.title(), 1, 9, 3) for n in ("ann", "bob", "cem")]
    for row in rows:
        warehouse.execute("insert into audiences.vip values (?, ?, ?, ?, ?, ?)", row)
    for name in ("ann", "bob"):
        town.consent(name)
    town.verdict(is_passed=True)
    warehouse.close()


def test_list_shows_every_sync_with_its_purpose(capsys):
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    for sync in all_syncs():
        assert f"{sync.name} " in said

    main(["list", "--json"])
    assert [sync["name"] for sync in json.loads(capsys.readouterr().out)] == [s.name for s in all_syncs()]


def test_plan_then_run_then_nothing_to_do(town, capsys):
    assert main(["plan", "vip_to_sandbox"]) == 0
    said = capsys.readouterr().out
    assert "add 2, change 0, remove 0" in said
    assert "1 without consent to marketing/email" in said
    assert "cost: 0.00" in said
    assert "guards: none trips" in said
    assert "next: python -m reverse_etl run vip_to_sandbox" in said

    assert main(["run", "vip_to_sandbox"]) == 0
    assert "add: 2 delivered" in capsys.readouterr().out

    assert main(["run", "vip_to_sandbox", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["state"] == "succeeded"
    assert report["requests"] == 0
    assert report["plan"]["held"] == 2


def test_nothing_it_prints_names_a_person(town, capsys):
    for words in (["plan"], ["run"], ["run", "--json"]):
        main([words[0], "vip_to_sandbox", *words[1:]])
    said = capsys.readouterr()
    assert "@" not in said.out + said.err
    assert "Ann" not in said.out


def test_a_held_sync_exits_with_three_and_says_what_to_do(town, cdp_home, capsys):
    with duckdb.connect(str(cdp_home / "warehouse.duckdb")) as connection:
        connection.execute("update ops.gate_results set is_passed = false")

    assert main(["plan", "vip_to_sandbox"]) == 3
    assert "would be held" in capsys.readouterr().err
    assert main(["run", "vip_to_sandbox"]) == 3
    assert "--gate ignored" in capsys.readouterr().err
    assert main(["run", "vip_to_sandbox", "--gate", "ignored"]) == 0


def test_a_wrong_name_exits_with_two(capsys):
    assert main(["run", "vipp_to_sandbox"]) == 2
    assert "there are cart_abandoners_to_sandbox" in capsys.readouterr().err


def test_a_missing_warehouse_exits_with_four(cdp_home, capsys):
    assert main(["run", "vip_to_sandbox"]) == 4
    assert "no warehouse at" in capsys.readouterr().err
    assert main(["run", "vip_to_sandbox", "--json"]) == 4
    assert "no warehouse" in json.loads(capsys.readouterr().out)["error"]


def test_an_error_that_quotes_a_row_is_told_without_its_words(monkeypatch, capsys):
    def fail(_):
        duckdb.execute("select cast(? as integer)", [ADDRESS])

    monkeypatch.setitem(COMMANDS, "list", fail)
    assert main(["list"]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("ConversionException at test_command.py:")
    assert said.err.endswith(": its words may quote a row and are not shown\n")
    assert ADDRESS not in said.out + said.err


def test_an_error_that_quotes_nothing_is_raised(monkeypatch):
    monkeypatch.setitem(COMMANDS, "list", lambda _: {}["a bug"])
    with pytest.raises(KeyError, match="a bug"):
        main(["list"])


def test_the_help_teaches(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert "exit codes" in said
    assert "python -m reverse_etl run vip_to_sandbox" in said


def shrink(cdp_home):
    """Twenty members at the sandbox, of whom one is left in the audience."""
    with duckdb.connect(str(cdp_home / "warehouse.duckdb")) as connection:
        connection.execute(
            "insert into audiences.vip select concat('longer', i), concat('l', i, '@example.com'), 'L', 1, 9, 3 "
            "from range(20) as people(i)"
        )
        connection.execute(
            "insert into profiles.consents select profile_id, 'marketing', 'email', 'granted', true "
            "from audiences.vip where profile_id like 'longer%'"
        )
    assert main(["run", "vip_to_sandbox"]) == 0
    with duckdb.connect(str(cdp_home / "warehouse.duckdb")) as connection:
        connection.execute("delete from audiences.vip where profile_id <> 'ann'")


def test_a_held_plan_is_shown_approved_and_run(town, cdp_home, capsys):
    shrink(cdp_home)
    assert main(["plan", "vip_to_sandbox"]) == 3
    said = capsys.readouterr().err
    assert "remove: bo" not in said
    assert "lo…" in said
    assert "python -m reverse_etl approve vip_to_sandbox" in said
    assert main(["approve", "vip_to_sandbox"]) == 2  # no run was held yet
    assert "first python -m reverse_etl run vip_to_sandbox" in capsys.readouterr().err
    with duckdb.connect(str(cdp_home / "warehouse.duckdb")) as connection:
        connection.execute("update profiles.consents set is_granted = false where profile_id = 'longer3'")
    assert main(["run", "vip_to_sandbox"]) == 3
    assert "remove: 1 delivered" in capsys.readouterr().err  # who took back their consent, all the same
    assert main(["status", "vip_to_sandbox"]) == 0
    assert "team:marketing must act" in capsys.readouterr().out

    assert main(["approve", "vip_to_sandbox", "--by", "ada"]) == 0
    said = capsys.readouterr().out
    assert "approved by ada: add 0, change 0, remove 20" in said
    assert "if that is right" not in said
    assert main(["run", "vip_to_sandbox", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["approved_by"], report["outcomes"]) == ("ada", {"remove": {"delivered": 20}})
    assert main(["status", "--json"]) == 0
    standing = {one["sync"]: one for one in json.loads(capsys.readouterr().out)}
    assert (standing["vip_to_sandbox"]["state"], standing["vip_to_sandbox"]["members"]) == ("succeeded", 1)
    assert standing["cart_abandoners_to_sandbox"]["state"] == "never"


def test_the_log_shows_runs_and_what_is_rejected(town, cdp_home, capsys):
    assert main(["log", "vip_to_sandbox"]) == 0
    assert "never ran" in capsys.readouterr().out
    with duckdb.connect(str(cdp_home / "warehouse.duckdb")) as connection:
        connection.execute("update audiences.vip set first_name = '[Name]' where profile_id = 'ann'")
    main(["run", "vip_to_sandbox"])
    capsys.readouterr()

    assert main(["log", "vip_to_sandbox"]) == 0
    said = capsys.readouterr().out
    assert "partial   add 1/2, change 0/0, remove 0/0" in said
    assert "rejected now: 1 × add unrendered_first_name" in said
    assert main(["retry-rejected", "vip_to_sandbox"]) == 1
    assert main(["log", "vip_to_sandbox", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out.splitlines()[-1])["runs"]) == 2


def test_a_resync_is_planned_and_run(town, capsys):
    main(["run", "vip_to_sandbox"])
    assert main(["plan", "vip_to_sandbox", "--resync"]) == 0
    assert "add 0, change 2, remove 0" in capsys.readouterr().out

    assert main(["resync", "vip_to_sandbox"]) == 0
    assert "change: 2 delivered" in capsys.readouterr().out


def test_drift_says_what_differs_and_what_to_do(town, capsys):
    main(["run", "vip_to_sandbox"])
    capsys.readouterr()
    assert main(["drift", "vip_to_sandbox"]) == 0
    assert "2 members by the journal, 2 there; 0 missing there, 0 unknown here" in capsys.readouterr().out

    with running() as server:
        httpx.post(f"{server.address}/__reset")
    assert main(["drift", "vip_to_sandbox"]) == 1
    said = capsys.readouterr().out
    assert "2 missing there" in said
    assert "next: python -m reverse_etl resync vip_to_sandbox" in said
    assert main(["drift", "vip_to_sandbox", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["missing"] == 2


def test_all_are_run_in_order_and_what_follows_a_failure_is_left_out(town, capsys, monkeypatch):
    from reverse_etl import commands
    from reverse_etl.sync import find_sync

    vip, lapsed = find_sync("vip_to_sandbox"), find_sync("lapsed_buyers_to_sandbox")
    syncs = [vip.model_copy(update={"after": (lapsed.name,)}), lapsed]
    monkeypatch.setattr(commands, "all_syncs", lambda: syncs)

    assert main(["run", "all", "--gate", "ignored"]) == 4
    first, second = capsys.readouterr().err.splitlines()
    assert "no table audiences.lapsed_buyers" in first
    assert second == "vip_to_sandbox: not run, it comes after lapsed_buyers_to_sandbox"
    monkeypatch.setattr(commands, "all_syncs", lambda: [vip])

    assert main(["run", "all", "--json"]) == 0
    assert [one["state"] for one in json.loads(capsys.readouterr().out)] == ["succeeded"]
