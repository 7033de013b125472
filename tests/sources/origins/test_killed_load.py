"""A load that is killed anywhere costs no line, and leaves none twice."""

import os
import subprocess
import sys

import pytest
from logged import EVENTS, LANE, envelope

KILLED = """
import os, signal, sys
import dlt
from dlt.destinations.impl.duckdb.duck import DuckDbCopyJob, DuckDbClient
import sources.landing, sources.pipeline
from sources.source import load_source

def die(owner, name, after):
    called = getattr(owner, name)
    def wrapped(*args, **kwargs):
        if after:
            called(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(owner, name, wrapped)

die(*{
    "while reading": (sources.landing.Landing, "lines", True),
    "when extracted": (dlt.Pipeline, "extract", True),
    "before a table is copied": (DuckDbCopyJob, "run", False),
    "after a table is copied": (DuckDbCopyJob, "run", True),
    "before the commit": (DuckDbClient, "complete_load", False),
    "after the commit": (DuckDbClient, "complete_load", True),
    "before the books are closed": (dlt.Pipeline, "load", True),
}[sys.argv[1]])
sources.pipeline.load(load_source("web_events"))
"""
MOMENTS = ["while reading", "when extracted", "before a table is copied", "after a table is copied"]
MOMENTS += ["before the commit", "after the commit", "before the books are closed"]


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS if os.environ.get("CDP_TEST_WHOLE") else ["before the commit"])
def test_a_load_that_is_killed_costs_no_line_and_leaves_none_twice(town, log, moment):
    log.append_now(LANE, [envelope(number) for number in range(5)])
    town.load(EVENTS)
    log.append_now(LANE, [envelope(number) for number in range(5, 12)])
    ended = subprocess.run([sys.executable, "-c", KILLED, moment], check=False, capture_output=True, env=os.environ)
    assert ended.returncode == -9, ended.stderr.decode()
    log.append_now(LANE, [envelope(12)])
    town.load(EVENTS)
    town.load(EVENTS)
    assert town.rows("select count(*), count(distinct _row_id) from raw.web_events__events") == [(13, 13)]
    assert town.rows("select sum(accepted_count) from raw.loads") == [(13,)]
    assert town.load(EVENTS).rows == {}
