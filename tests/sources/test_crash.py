"""A load that is killed at any moment costs no row, and the next one leaves none twice."""

import json
import os
import subprocess
import sys

import pytest

from sources.source import load_source

# Runs one load and kills itself, as the operating system would, right after (or before) the named call.
KILLED = """
import os, signal, sys
import dlt
from dlt.destinations.impl.duckdb.duck import DuckDbCopyJob, DuckDbClient
import sources.landing, sources.standing, sources.pipeline
from sources.source import load_source

def die_in(owner, name, after, skip):
    called, left = getattr(owner, name), [skip]
    def wrapped(*args, **kwargs):
        if left[0] == 0 and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = called(*args, **kwargs)
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return result
    setattr(owner, name, wrapped)

moments = {
    "while reading": (sources.landing.Landing, "file", False, 1),
    "when extracted": (dlt.Pipeline, "extract", True, 0),
    "when normalized": (dlt.Pipeline, "normalize", True, 0),
    "before a table is copied": (DuckDbCopyJob, "run", False, 1),
    "after a table is copied": (DuckDbCopyJob, "run", True, 0),
    "after two tables are copied": (DuckDbCopyJob, "run", True, 1),
    "before the commit": (DuckDbClient, "complete_load", False, 0),
    "after the commit": (DuckDbClient, "complete_load", True, 0),
    "before the books are closed": (dlt.Pipeline, "load", True, 0),
}
die_in(*moments[sys.argv[1]])
sources.pipeline.load(load_source("support"))
"""

MOMENTS = [
    "while reading",
    "when extracted",
    "when normalized",
    "before a table is copied",
    "after a table is copied",
    "after two tables are copied",
    "before the commit",
    "after the commit",
    "before the books are closed",
]


def kill(moment):
    ended = subprocess.run([sys.executable, "-c", KILLED, moment], check=False, capture_output=True, env=os.environ)
    assert ended.returncode == -9, ended.stderr.decode()


def committed(town, table):
    return town.rows(
        f"select count(*), count(distinct _row_id) from raw.support__{table} "
        "where _dlt_load_id in (select load_id from raw._dlt_loads where status = 0)"
    )[0]


CASES = [(moment, began) for moment in MOMENTS for began in ("on an empty warehouse", "on a loaded one")]
SAMPLE = [("while reading", "on a loaded one"), ("after a table is copied", "on an empty warehouse")]


@pytest.mark.slow
@pytest.mark.parametrize(("moment", "began"), CASES if os.environ.get("CDP_TEST_WHOLE") else SAMPLE)
def test_the_next_load_converges(town, moment, began):
    source = load_source("support")
    counts = {"users": 5, "tickets": 7, "comments": 9}
    expected = dict.fromkeys(counts, 0)
    for file in ["a", "b"] if began == "on a loaded one" else ["b"]:
        for table, count in counts.items():
            rows = [{"id": f"{file}{number}"} for number in range(count)]
            town.drop(f"support/{table}/{file}.jsonl", "\n".join(json.dumps(row) for row in rows))
            expected[table] += count
        if file == "a":
            town.load(source)
    kill(moment)
    town.load(source)
    for table, count in expected.items():
        assert committed(town, table) == (count, count)
        assert town.rows(f"select count(*) from raw.support__{table}") == [(count,)]
    accepted = town.rows("select table_name, sum(accepted_count) from raw.loads group by 1")
    assert dict(accepted) == expected
    assert town.load(source).rows == {}
