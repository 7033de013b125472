"""`cdp trigger` and `cdp serve`: help that teaches, counts and never people."""

import json

import duckdb
import pytest
from typer.testing import CliRunner

from dagster_cdp.cli import app
from reverse_etl.warehouse import DuckDBWarehouse


def cdp(*words):
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})


@pytest.fixture
def town(cdp_home, monkeypatch):
    from trigger_town import NOON, TriggerTown

    monkeypatch.setenv("CDP_NOW", NOON.isoformat())
    for secret in ("RESEND_API_KEY", "TWILIO_AUTH_TOKEN"):
        monkeypatch.delenv(secret, raising=False)
    warehouse = DuckDBWarehouse(duckdb.connect(str(cdp_home / "warehouse.duckdb")))
    town = TriggerTown(warehouse)
    warehouse.execute("create table audiences.bought_products (profile_id text, product_id text, bought_at timestamp)")
    for name in ("ann", "bob"):
        town.person(name)
        town.event(name)
    town.order("bob")
    warehouse.close()
    return town


@pytest.mark.parametrize("word", ["list", "plan", "run", "log"])
def test_each_word_helps(word):
    assert cdp("trigger", word, "--help").exit_code == 0


def test_help_teaches():
    said = cdp("trigger", "--help").stdout
    for word in ("wait", "look again", "once per person and reason", "cdp trigger plan NAME"):
        assert word in " ".join(said.split())
    assert "profile-key" in cdp("serve", "--help").stdout


def test_the_list_names_each_trigger():
    said = cdp("trigger", "list").stdout
    assert "abandoned_checkout" in said
    assert "event Checkout Started, after 30 minutes, for marketing: email by resend, sms by twilio_sms" in said
    assert {one["name"] for one in json.loads(cdp("trigger", "list", "--json").stdout)} >= {"price_drop", "win_back"}


def test_plan_run_and_log_of_a_cycle(town):
    planned = cdp("trigger", "plan", "abandoned_checkout")
    assert planned.exit_code == 0, planned.output
    assert "not told: 1 × bought meanwhile (bought)" in planned.stdout
    assert "ann" not in planned.stdout.replace("channels", "")

    ran = cdp("trigger", "run", "abandoned_checkout")
    assert ran.exit_code == 1  # nobody set the mail service's key
    assert "set RESEND_API_KEY" in ran.stdout

    logged = json.loads(cdp("trigger", "log", "abandoned_checkout", "--json").stdout)
    assert logged["decided"] == {"bought": 1, "send": 1}
    assert logged["messages"] == [["email", "pending", None, 1]]


def test_a_key_is_made_and_shown_once(cdp_home):
    made = cdp("profile-key", "support", "--scope", "traits", "--purpose", "service", "--basis", "contract")
    assert made.exit_code == 0
    token = made.stdout.split()[0]
    assert token.startswith("cdp_")
    assert token not in (cdp_home / "serving" / "keys.yml").read_text()
