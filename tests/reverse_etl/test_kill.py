"""A real process, really killed between its intent and its record; the next one settles it."""

import os
import signal
import subprocess
import sys
import textwrap

import duckdb
import httpx
import pytest

from reverse_etl.run import run_sync
from reverse_etl.sandbox.server import running
from reverse_etl.sync import find_sync
from reverse_etl.warehouse import DuckDBWarehouse

PEOPLE = 3_000
SUICIDE = textwrap.dedent(
    """
    import os, signal, sys
    from reverse_etl import http
    from reverse_etl.destination import Spec
    from reverse_etl.destinations import sandbox
    from reverse_etl.run import run_sync
    from reverse_etl.sync import find_sync
    from reverse_etl.warehouse import open_warehouse

    sends = 0

    class Destination(sandbox.Destination):
        spec = Spec(batch_rows=500, identifiers=("email",), required=("email",), honours_operation_ids=True)

        def outcomes(self, rows, response):  # sent, applied and answered, but not yet recorded
            global sends
            sends += 1
            if sends == int(sys.argv[1]):
                os.kill(os.getpid(), signal.SIGKILL)
            return super().outcomes(rows, response)

    sync = find_sync("vip_to_sandbox")
    run_sync(open_warehouse(), sync, destination=Destination(sync), gate="ignored", approve=True)
    """
)


def connect(home):
    return DuckDBWarehouse(duckdb.connect(str(home / "warehouse.duckdb")))


def sandbox_state():
    with running() as server:
        return httpx.get(f"{server.address}/__state", timeout=60).json()


@pytest.fixture
def town_of_thousands(cdp_home):
    warehouse = connect(cdp_home)
    for schema in ("audiences", "profiles"):
        warehouse.execute(f"create schema {schema}")
    warehouse.execute(
        "create table audiences.vip as select cast(i as varchar) as profile_id, "
        "concat('p', i, '@example.com') as email, 'Ann' as first_name, 1 as year_order_count, "
        f"cast(2 as decimal(18, 2)) as year_order_amount from range({PEOPLE}) as people(i)"
    )
    warehouse.execute(
        "create table profiles.consents as select profile_id, 'marketing' as purpose, 'email' as channel, "
        "true as is_granted from audiences.vip"
    )
    warehouse.close()
    return cdp_home


def run_and_be_killed(at_send):
    killed = subprocess.run([sys.executable, "-c", SUICIDE, str(at_send)], check=False, env=os.environ)
    assert killed.returncode == -signal.SIGKILL


def test_a_killed_run_is_settled_by_the_next_without_sending_anyone_twice(town_of_thousands):
    run_and_be_killed(at_send=2)
    assert sandbox_state()["operations"]["applied"] == 1_000

    warehouse = connect(town_of_thousands)
    [(intended,)] = warehouse.execute("select count(*) from activation.journal where pending_operation = 'add'")
    assert intended == 500  # applied, and we don't know it
    report = run_sync(warehouse, find_sync("vip_to_sandbox"), gate="ignored")

    assert report.outcomes == {"add": {"delivered": PEOPLE - 500}}
    state = sandbox_state()
    assert len(state["audiences"]["vip"]) == PEOPLE
    assert state["operations"] == {"applied": PEOPLE, "noop": 0, "rejected": 0, "replayed": 500}


def test_who_leaves_after_the_kill_is_removed_all_the_same(town_of_thousands):
    run_and_be_killed(at_send=1)
    warehouse = connect(town_of_thousands)
    warehouse.execute("delete from audiences.vip where cast(profile_id as integer) < 2900")

    run_sync(warehouse, find_sync("vip_to_sandbox"), gate="ignored", approve=True)

    assert len(sandbox_state()["audiences"]["vip"]) == 100
