"""The README is true: its commands are the ones CI runs, and its examples work as printed, together."""

import json
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
HEADER = "booking_id,email,first_name,booked_at"


def examples():
    """File name -> content, of every fenced block that names its file."""
    return dict(re.findall(r"^```\w+ (\S+/\S+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL))


def test_the_quick_start_is_two_commands_and_ci_runs_the_second():
    [block] = re.findall(r"## Quick start\n.*?```bash\n(.*?)```", README, re.DOTALL)
    first, second = block.strip().splitlines()
    assert first.endswith("cdp demo")
    assert second.removeprefix(".venv/bin/") in (ROOT / ".ci/run").read_text()


def test_to_begin_anew_takes_the_state_and_leaves_the_settings(tmp_path):
    [command] = re.findall(r"`(git clean [^`]*)` begins anew", README)
    shop = tmp_path / "shop"
    shutil.copytree(ROOT / ".dagster_home", shop / ".dagster_home", ignore=lambda *_: {"storage", "history"})
    shutil.copy(ROOT / ".gitignore", shop)
    for words in (["init", "-q"], ["add", ".dagster_home/dagster.yaml"]):
        subprocess.run(["git", *words], cwd=shop, check=True)
    for state in (".cdp/warehouse.duckdb", ".dagster_home/storage/runs.db"):
        (shop / state).parent.mkdir(parents=True, exist_ok=True)
        (shop / state).touch()
    subprocess.run(command.split(), cwd=shop, check=True, stdout=subprocess.DEVNULL)
    left = {str(file.relative_to(shop)) for file in shop.rglob("*") if file.is_file() and ".git" not in file.parts}
    assert left == {".dagster_home/dagster.yaml", ".gitignore"}


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_documented_commands_exist():
    """Each command of the table answers to --help."""
    from typer.testing import CliRunner

    from dagster_cdp.cli import app

    table = re.findall(r"^\| `cdp (.*?)` \|", README, re.MULTILINE)
    for line in [*table, "sync plan", "sync run", "gate accept"]:
        words = re.sub(r"`.*| [A-Z]+.*|,.*", "", line).split()
        assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0, words


def copy_of_the_checkout(to):
    """The files git knows or would add, copied into the folder `to`."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


def write_the_examples(clone):
    for name, content in examples().items():
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text(content)
    listing = clone / "dbt_project/macros/judge/judged_tables.sql"
    last = "('web_orders', 'orders'),"
    listing.write_text(listing.read_text().replace(last, f"{last}\n        ('workshops', 'bookings'),"))


def book_workshops(inbox):
    """One booking for each address with marketing consent, and one whose address is none."""
    consenting = {
        choice["email"]
        for file in sorted((inbox / "consent/choices").glob("*.jsonl"))
        for choice in map(json.loads, file.read_text().splitlines())
        if choice.get("email") and (choice["purpose"], choice["status"]) == ("marketing", "granted")
    }
    lines = [f"b-{place},{address},Ada,2026-01-05T10:00:00Z" for place, address in enumerate(sorted(consenting))]
    bookings = inbox / "workshops/bookings"
    bookings.mkdir(parents=True)
    bad = "b-x,not an address,Bo,2026-01-05T10:00:00Z"
    (bookings / "2026-01.csv").write_text("\n".join([HEADER, *lines, bad, ""]))


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A clone with every example of the README written to its file, and its line run once on a small demo."""
    clone = tmp_path_factory.mktemp("clone")
    copy_of_the_checkout(clone)
    write_the_examples(clone)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CDP_", "DAGSTER_HOME", "PG"))}
    python = partial(
        subprocess.run, cwd=clone, env={**kept, "PYTHONPATH": str(clone)}, capture_output=True, text=True
    )  # fmt: skip

    def cdp(*arguments):
        return python([sys.executable, "-m", "dagster_cdp.cli", *arguments])

    build = "from dagster_cdp.inbox import build_demo; build_demo(households=60)"
    python([sys.executable, "-c", build], check=True)
    book_workshops(clone / ".cdp/inbox")
    return clone / ".cdp", cdp, cdp("run", "--json")


def test_the_examples_run_together(extended):
    home, _, run = extended
    assert run.returncode == 0, run.stderr[-3000:]
    report = json.loads(run.stdout)
    booked = report["loaded"]["raw.workshops__bookings"]
    guests = report["rows"]["audiences.workshop_guests"]
    sent = report["changes"]["activation.workshop_guests_to_notice_board"]["add"]
    assert 0 < report["rows"]["staging.stg_workshops__bookings"] < booked
    assert booked > guests >= sent > 0
    assert len(list((home / "exports/workshop_guests_to_notice_board").iterdir())) == sent


def test_the_next_plan_is_empty(extended):
    _, cdp, _ = extended
    plan = cdp("sync", "plan", "workshop_guests_to_notice_board", "--json")
    assert plan.returncode == 0, plan.stderr
    assert json.loads(plan.stdout)["add"] == 0
