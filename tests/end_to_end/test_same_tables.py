"""The same inbox through the same line on DuckDB and on PostgreSQL gives the same tables."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path

import pytest
from demo_line import HOUSEHOLDS, point_at

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(
        os.environ.get("CDP_TEST_POSTGRES") != "1",
        reason="needs CDP_TEST_POSTGRES=1 and the PG* variables of a server",
    ),
]

ROOT = Path(__file__).parents[2]
# A load's id is the moment dlt packed it; what counts loads is compared by its content.
VOLATILE = {"_load_id", "load_id", "_dlt_load_id", "_batch"}
DATABASE = f"{os.environ.get('PGDATABASE', 'cdp')}_line"


@pytest.fixture(scope="module")
def postgres_line(tmp_path_factory):
    home = tmp_path_factory.mktemp("engines")
    return {**os.environ, **point_at(home), "CDP_TARGET": "postgres", "PGDATABASE": new_database()}


@pytest.fixture(scope="module")
def on_postgres(postgres_line):
    """The same demo in an inbox of its own: the reports of a run and of its syncs again, and the tables between."""
    told = json.loads(run(RUN_TWICE, postgres_line))
    return told["reports"], sort_rows(told["read"])


@pytest.fixture(scope="module")
def on_duckdb(on_postgres, first_run):
    """After `on_postgres`: meanwhile another process may have made the first run."""
    home, report = first_run
    return report, sort_rows(json.loads(run(READ, {**os.environ, **point_at(home)})))


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


# pyspark takes a main module without a file for its own doctests, and ends it
NAMED = "import __main__; __main__.__file__ = 'line'\n"


def run(code, environment):
    finished = subprocess.run(
        [sys.executable, "-c", NAMED + code, *VOLATILE],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-2000:]
    return finished.stdout


TOLD = """
import json, sys
from dagster_cdp.warehouse import connect
query = (
    "select table_schema, table_name, column_name from information_schema.columns "
    "where table_schema in ('staging', 'identity', 'profiles', 'audiences', 'ops') "
    "and table_name not in ('gate_results', 'stage_builds') order by 1, 2, 3"
)

def told():
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
    return {"columns": columns, "tables": tables}
"""
READ = TOLD + "print(json.dumps(told()))"
RUN_TWICE = (
    TOLD
    + f"""
from dataclasses import asdict
from dagster_cdp.inbox import build_demo
from dagster_cdp.line import run_line

build_demo(households={HOUSEHOLDS})
first = run_line()
read = told()
second = run_line("group:activation")
assert not first.failures + second.failures, first.failures + second.failures
reports = [{{**asdict(report), "changes_sent": report.changes_sent}} for report in (first, second)]
print(json.dumps({{"reports": reports, "read": read}}))
"""
)


def sort_rows(found):
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


def test_both_engines_build_the_same_tables(on_duckdb, on_postgres):
    assert on_duckdb[1][0] == on_postgres[1][0]


def test_every_table_holds_the_same_rows(on_duckdb, on_postgres):
    duck, postgres = on_duckdb[1][1], on_postgres[1][1]
    different = {name: first_difference(rows, postgres[name]) for name, rows in duck.items() if rows != postgres[name]}
    assert different == {}
    assert sum(map(len, duck.values())) > 10_000


def test_both_engines_send_the_same_and_nothing_twice(on_duckdb, on_postgres):
    """That a whole second run sends nothing is told by the tests of the demo."""
    report, (first, second) = on_duckdb[0], on_postgres[0]
    assert report.changes == first["changes"]
    assert first["changes_sent"] > 0
    assert second["changes_sent"] == 0


UNIT_TESTS = """
import json
from dagster_cdp import dbt
words = ["test", "--select", "test_type:unit", "--exclude", "path:models/identity/matching", *dbt.places()]
results = dbt.invoke([*words, "--no-write-json"], manifest=dbt.parsed()).result.results
print(json.dumps({result.node.name: str(result.status) for result in results}))
"""


@pytest.mark.whole
def test_every_unit_test_of_a_model_holds_on_postgres(postgres_line, on_postgres):
    """On the tables just built; those of matching are typed for DuckDB, and its rows are compared above."""
    found = json.loads(run(UNIT_TESTS, postgres_line).splitlines()[-1])
    assert {name for name, status in found.items() if status != "pass"} == set()
    assert len(found) > 40


WITHDRAW = """
import json, os
from pathlib import Path
from collecting import Collector
from dagster_cdp.line import run_line
from dagster_cdp.warehouse import connect
from withdrawing import SETTINGS, logins_of_those_held, withdrawal

with connect("test") as warehouse:
    (_, login, count), *_ = logins_of_those_held(warehouse.execute)
(Path(os.environ["CDP_HOME"]) / "collector.yml").write_text(SETTINGS)
collector = Collector().start()
try:
    collector.send(withdrawal(login))
finally:
    collector.end()
report = run_line()
assert not report.failures, report.failures
removed = sum(counts["remove"] for counts in report.changes.values())
print(json.dumps({"held": count, "removed": removed, "sent": report.changes_sent}))
"""


@pytest.mark.whole
def test_a_withdrawal_through_the_collector_leaves_every_audience_here_too(postgres_line, on_postgres):
    places = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    found = json.loads(run(WITHDRAW, {**postgres_line, "PYTHONPATH": places}).splitlines()[-1])
    assert found["held"] > 1
    assert found["removed"] == found["sent"] == found["held"]
