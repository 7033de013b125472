"""A real process of 20,000 members, really killed at each of its steps: every statement, before and after each request.

The next run converges: the sandbox holds whom it should, and nothing took effect twice.
"""

import os
import shutil
import signal
import subprocess
import sys
import textwrap

import duckdb
import httpx
import pytest

from reverse_etl.run import preview, run_sync
from reverse_etl.sandbox.server import running
from reverse_etl.sync import find_sync
from reverse_etl.warehouse import DuckDBWarehouse

WHOLE = os.environ.get("CDP_TEST_WHOLE") == "1"
PEOPLE, LEAVE, CHANGE = 20_000, 2_000, 5_000
RUN = textwrap.dedent(
    """
    import os, signal, sys
    from contextlib import contextmanager
    from dataclasses import replace
    from reverse_etl.destinations import sandbox
    from reverse_etl.run import run_sync
    from reverse_etl.sync import find_sync
    from reverse_etl.warehouse import DuckDBWarehouse, open_warehouse

    last, steps = int(sys.argv[1]), 0

    def step():
        global steps
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("execute", "insert"):
        def slow(self, *arguments, _inner=getattr(DuckDBWarehouse, name)):
            step()
            return _inner(self, *arguments)
        setattr(DuckDBWarehouse, name, slow)

    class Destination(sandbox.Destination):
        spec = replace(sandbox.Destination.spec, batch_rows=2_500)

        @contextmanager
        def connect(self):
            with super().connect() as transport:
                def send(request):
                    step()
                    answer = transport(request)
                    step()
                    return answer
                yield send

    sync = find_sync("vip_to_sandbox")
    report = run_sync(open_warehouse(), sync, destination=Destination(sync), gate="ignored", approve=True)
    assert report.state == "succeeded", report
    print(steps)
    """
)


def warehouse_of(home):
    return DuckDBWarehouse(duckdb.connect(str(home / "warehouse.duckdb")))


def run_until(step, home):
    environment = {**os.environ, "CDP_HOME": str(home), "CDP_WAREHOUSE": str(home / "warehouse.duckdb")}
    command = [sys.executable, "-c", RUN, str(step)]
    return subprocess.run(command, check=False, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def delivered(tmp_path_factory):
    """A home in which everybody was delivered, and the audience then changed."""
    home = tmp_path_factory.mktemp("delivered")
    warehouse = warehouse_of(home)
    for schema in ("audiences", "profiles"):
        warehouse.execute(f"create schema {schema}")
    warehouse.execute(
        "create table audiences.vip as select cast(i as varchar) as profile_id, "
        "concat('p', i, '@example.com') as email, 'Ann' as first_name, 1 as year_order_count, "
        f"cast(2 as decimal(18, 2)) as year_order_amount from range({PEOPLE + LEAVE}) as people(i)"
    )
    warehouse.execute(
        "create table profiles.consents as select profile_id, 'marketing' as purpose, 'email' as channel, "
        "true as is_granted from audiences.vip"
    )
    warehouse.execute(f"create table later as select * from audiences.vip where cast(profile_id as int) >= {PEOPLE}")
    warehouse.execute(f"delete from audiences.vip where cast(profile_id as int) >= {PEOPLE}")
    warehouse.close()
    assert run_until(0, home).returncode == 0
    warehouse = warehouse_of(home)
    warehouse.execute(f"delete from audiences.vip where cast(profile_id as int) < {LEAVE}")
    warehouse.execute(f"update audiences.vip set year_order_count = 2 where cast(profile_id as int) < {LEAVE + CHANGE}")
    warehouse.execute("insert into audiences.vip select * from later")
    warehouse.close()
    return home


@pytest.fixture(scope="module")
def step_count(delivered, tmp_path_factory):
    home = tmp_path_factory.mktemp("counted") / "home"
    shutil.copytree(delivered, home)
    done = run_until(0, home)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def steps(count):
    """All of them, or a few that are spread over the run."""
    return range(1, count + 1) if WHOLE else range(count // 6, count + 1, max(1, count // 5))


def test_death_at_any_step_of_a_run_of_thousands_is_survived(delivered, step_count, tmp_path, monkeypatch):
    assert step_count > 60
    for step in steps(step_count):
        home = tmp_path / str(step)
        shutil.copytree(delivered, home)
        monkeypatch.setenv("CDP_HOME", str(home))
        killed = run_until(step, home)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        it_converges(home)
        shutil.rmtree(home)


def it_converges(home):
    sync, warehouse = find_sync("vip_to_sandbox"), warehouse_of(home)
    run_sync(warehouse, sync, gate="ignored", approve=True)
    assert preview(warehouse, sync, gate="ignored")[0].size == 0
    wanted = dict(warehouse.execute("select email, year_order_count from audiences.vip"))
    warehouse.close()
    with running() as server:
        state = httpx.get(f"{server.address}/__state", timeout=60).json()
    members = state["audiences"]["vip"]
    found = {email: fields["year_orders"] for email, fields in members.items()}
    assert found == wanted
    assert state["operations"]["applied"] == PEOPLE + LEAVE + CHANGE + LEAVE
