"""The same inbox, and the same withdrawal, through the same line on DuckDB and on PostgreSQL give the same tables."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path

import pytest
from collecting import Collector
from withdrawing import SETTINGS, logins_of_those_held, withdrawal

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(
        os.environ.get("CDP_TEST_POSTGRES") != "1",
        reason="needs CDP_TEST_POSTGRES=1 and the PG* variables of a server",
    ),
]

ROOT = Path(__file__).parents[2]
HOUSEHOLDS = 80
NOW = "2026-03-02T09:00:00"
# A load's id is the moment dlt packed it; what counts loads is compared by its content.
VOLATILE = {"_load_id", "load_id", "_dlt_load_id", "_batch"}
DATABASE = "cdp_line"


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """Both engines' reports and tables, after two runs each and one more when somebody has withdrawn."""
    home = tmp_path_factory.mktemp("engines")
    server_name = new_database()
    shared = {"CDP_NOW": NOW, "CDP_INBOX": str(home / "inbox")}
    common = {**os.environ, **shared, "CDP_HOME": str(home / "demo")}
    build = f"from dagster_cdp.inbox import build_demo; build_demo(households={HOUSEHOLDS})"
    subprocess.run([sys.executable, "-c", build], env=common, cwd=ROOT, check=True)
    found = {}
    for target in ("duckdb", "postgres"):
        environment = {
            **common,
            "CDP_HOME": str(home / target),
            "CDP_WAREHOUSE": str(home / target / "warehouse.duckdb"),
            "DAGSTER_HOME": str(home / target / "dagster"),
            "CDP_TARGET": target,
            "PGDATABASE": server_name,
        }
        reports = [run_line(environment) for _ in range(2)]
        tables = read_tables(environment)  # now: what a collector takes is received at the moment of this run
        withdrawn = withdraw(environment)
        found[target] = ([*reports, run_line(environment)], tables, withdrawn)
    return found


def withdraw(environment):
    """Send one person's withdrawal through this line's collector; return who it was and how many audiences had them."""
    (profile, login, count), *_ = logins_of_those_held(lambda query: read(environment, ASK, query))
    (Path(environment["CDP_HOME"]) / "collector.yml").write_text(SETTINGS)
    collector = Collector(environment).start()
    try:
        collector.send(withdrawal(login))
    finally:
        collector.end()
    return profile, count


def new_database():
    import psycopg2

    session = psycopg2.connect(
        host=os.environ["PGHOST"], port=os.environ["PGPORT"], user=os.environ["PGUSER"],
        password=os.environ.get("PGPASSWORD", ""), dbname=os.environ["PGDATABASE"],
    )  # fmt: skip
    session.autocommit = True
    with session.cursor() as cursor:
        cursor.execute(f"drop database if exists {DATABASE}")
        cursor.execute(f"create database {DATABASE} lc_collate 'C' template template0")
    session.close()
    return DATABASE


def run_line(environment):
    finished = subprocess.run(
        [sys.executable, "-m", "dagster_cdp.cli", "run", "--json"],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-2000:]
    return json.loads(finished.stdout)


READ = """
import json, sys
from dagster_cdp.warehouse import connect
query = (
    "select table_schema, table_name, column_name from information_schema.columns "
    "where table_schema in ('staging', 'identity', 'profiles', 'audiences', 'ops') "
    "and table_name not in ('gate_results', 'stage_builds') order by 1, 2, 3"
)
with connect("test") as warehouse:
    columns = {}
    for schema, table, column in warehouse.execute(query):
        columns.setdefault(f"{schema}.{table}", []).append(column)
    tables = {
        name: [
            [None if value is None else f"{type(value).__name__}:{value}" for value in row]
            for row in warehouse.execute("select " + ", ".join(f'"{c}"' for c in wanted) + f" from {name}")
        ]
        for name, all_columns in columns.items()
        if (wanted := [c for c in all_columns if c not in set(sys.argv[1:])])
    }
print(json.dumps({"columns": columns, "tables": tables}))
"""


ASK = """
import json, sys
from dagster_cdp.warehouse import connect
with connect("test") as warehouse:
    print(json.dumps(warehouse.execute(sys.argv[1])))
"""


def read(environment, code, *words):
    done = subprocess.run(
        [sys.executable, "-c", code, *words], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def read_tables(environment):
    found = read(environment, READ, *VOLATILE)
    rows = {name: sorted(map(comparable, table), key=str) for name, table in found["tables"].items()}
    return found["columns"], rows


def comparable(row):
    """Values by their meaning: 1.50 is 1.5, a whole number is a whole number in either engine's type."""
    return [meaning(value) for value in row]


def meaning(value):
    kind, _, text = (value or "").partition(":")
    return str(Decimal(text).normalize()) if kind in {"Decimal", "int", "float"} else text


def first_difference(rows, others):
    pairs = zip_longest(rows, others)
    return len(rows), len(others), next(pair for pair in pairs if pair[0] != pair[1])


def test_both_engines_build_the_same_tables(lines):
    assert lines["duckdb"][1][0] == lines["postgres"][1][0]


def test_every_table_holds_the_same_rows(lines):
    duck, postgres = lines["duckdb"][1][1], lines["postgres"][1][1]
    different = {name: first_difference(rows, postgres[name]) for name, rows in duck.items() if rows != postgres[name]}
    assert different == {}
    assert sum(map(len, duck.values())) > 10_000


def test_both_engines_send_the_same_and_nothing_twice(lines):
    (duck_first, duck_second, _), (first, second, _) = lines["duckdb"][0], lines["postgres"][0]
    assert duck_first["changes"] == first["changes"]
    assert first["changes_sent"] > 0
    assert (duck_second["changes_sent"], second["changes_sent"]) == (0, 0)


def test_a_withdrawal_through_the_collector_leaves_every_audience_on_both(lines):
    (duck_profile, duck_count), (profile, count) = lines["duckdb"][2], lines["postgres"][2]
    assert (duck_profile, duck_count) == (profile, count)
    for target in ("duckdb", "postgres"):
        last = lines[target][0][2]
        assert sum(counts["remove"] for counts in last["changes"].values()) == count
        assert last["changes_sent"] == count
