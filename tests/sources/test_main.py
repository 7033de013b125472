import subprocess
import sys

from typer.testing import CliRunner

from sources.__main__ import app


def run(*arguments):
    return CliRunner().invoke(app, arguments)


def test_every_source_is_listed_with_owner_and_refresh():
    listed = run("list").output.splitlines()
    assert len(listed) == 11
    assert " ".join(listed[-1].split()) == "web_orders */15 * * * * ecommerce@cdp.example orders, order_lines"


def test_loading_says_what_came_what_changed_and_what_is_next(town):
    town.drop("crm/contacts/a.csv", "id,tier\nc1,gold\n")
    said = run("load", "crm")
    assert said.exit_code == 0
    assert "crm: 1 contacts" in said.output
    assert "contacts.tier: new in crm/contacts/a.csv (1 rows)" in said.output
    assert "Next:" in said.output
    assert "crm: nothing new" in run("load", "crm").output


def test_a_refused_file_is_said_the_other_sources_are_loaded_and_the_exit_code_is_one(town):
    town.drop("crm/contacts/a.csv", "id,tier\nc1\n")
    town.drop_rows("support/users/a.jsonl", {"id": "u1"})
    said = run("load", "crm", "support")
    assert said.exit_code == 1
    assert "line 2: expected 2 columns, found 1" in said.output
    assert "support: 1 users" in said.output


def test_help_teaches_where_files_go():
    asked = [sys.executable, "-m", "sources", "load", "--help"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert "<CDP_INBOX>/<source>/<table>/" in said.stdout
