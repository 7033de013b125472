"""A person parted by a decision, rebuilt, and joined again when the decision is gone."""

import shutil

import pytest
from typer.testing import CliRunner

from dagster_cdp import dbt
from dagster_cdp.cli import app
from dagster_cdp.identity import decisions

BY = ("--owner", "support team", "--reason", "two people, as both said")
SENT = "select count(*) from activation.attempts"


@pytest.fixture
def seed(tmp_path, monkeypatch):
    """The decisions of a copy of the dbt project, which is what builds read; what was parsed of either is forgotten."""
    copy = tmp_path / "dbt_project"
    shutil.copytree(dbt.FOLDER, copy, ignore=shutil.ignore_patterns("target", "logs", ".user.yml"))
    file = copy / decisions.SEED.relative_to(dbt.FOLDER)
    monkeypatch.setattr(dbt, "FOLDER", copy)
    monkeypatch.setattr(decisions, "SEED", file)
    dbt.forget()
    yield file
    dbt.forget()


@pytest.fixture
def cdp(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def somebody(line):
    """A login and a loyalty number of one person."""
    return line.ask(
        "select login.profile_id, login.identifier_value, login.node_id, card.identifier_value, card.node_id"
        " from identity.profile_identifiers as login inner join identity.profile_identifiers as card"
        " on login.profile_id = card.profile_id where login.identifier_type = 'user_id'"
        " and card.identifier_type = 'loyalty_number' order by login.profile_id limit 1"
    )[0]


def profile_of(line, node):
    return line.ask("select distinct profile_id from identity.profile_identifiers where node_id = ?", node)


@pytest.mark.whole
def test_a_split_parts_one_person_and_says_what_became_of_it(line, seed, cdp):
    profile, login, login_node, card, card_node = somebody(line)
    sent, people = line.ask(SENT), line.ask("select count(distinct profile_id) from identity.profile_identifiers")
    result = cdp("identity", "split", login, card, *BY, "--rebuild")
    assert result.exception is None, result.exception
    assert profile_of(line, login_node) != profile_of(line, card_node)
    assert f"{profile} is now:" in result.stdout
    assert " changed: " in result.stdout
    assert "next vip_to_sandbox: add" in result.stdout
    assert login not in result.output
    assert card not in result.output
    assert line.ask(SENT) == sent
    assert line.ask("select count(distinct profile_id) from identity.profile_identifiers")[0][0] > people[0][0]
    told = cdp("who", login, card)
    assert "a person decided that they are not one" in told.stdout or "Not one person" in told.stdout

    seed.write_text(seed.read_text().splitlines()[0] + "\n")
    line.run("group:identity+ and not group:activation")
    assert profile_of(line, login_node) == profile_of(line, card_node) == [(profile,)]
