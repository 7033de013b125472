"""`cdp sync` has every word of the engine, and hands it the arguments and gives back its exit code."""

import pytest
from typer.testing import CliRunner

from dagster_cdp import sync_commands
from dagster_cdp.cli import app
from reverse_etl.__main__ import parser
from reverse_etl.commands import COMMANDS


@pytest.fixture
def asked(monkeypatch):
    """What the engine's command was called with; it exits with 3."""
    calls = []

    class Done:
        returncode = 3

    monkeypatch.setattr(sync_commands.subprocess, "run", lambda command, **_: calls.append(command[3:]) or Done)
    return calls


@pytest.mark.parametrize("word", COMMANDS)
def test_each_word_is_there_and_understood(asked, word):
    name = () if word == "list" else ("vip_to_sandbox",)
    assert CliRunner().invoke(app, ["sync", word, "--help"]).exit_code == 0

    assert CliRunner().invoke(app, ["sync", word, *name, "--json"]).exit_code == 3

    [arguments] = asked
    understood = parser().parse_args(arguments)
    assert understood.command == word
    assert understood.json


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["run", "x", "--approve"], "approve"),
        (["resync", "x", "--approve"], "approve"),
        (["plan", "x", "--resync"], "resync"),
    ],
)
def test_options_are_passed_on(asked, words, option):
    CliRunner().invoke(app, ["sync", *words])
    assert getattr(parser().parse_args(asked[0]), option) is True


def test_how_long_a_run_waits_for_another_is_passed_on(asked):
    CliRunner().invoke(app, ["sync", "run", "x", "--wait", "30"])
    assert parser().parse_args(asked[0]).wait == 30


def test_the_next_steps_are_said_in_the_words_that_were_typed(cdp_home, capfd):
    with pytest.raises(SystemExit):
        app(["sync", "plan", "vip_to_sandbox", "--gate", "perhaps"])
    assert "usage: cdp sync plan" in capfd.readouterr().err


def test_who_approves_is_passed_on(asked):
    CliRunner().invoke(app, ["sync", "approve", "x", "--by", "ada"])
    assert parser().parse_args(asked[0]).by == "ada"
