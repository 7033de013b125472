"""What every test starts from: no telemetry, no state of the developer, no network beyond loopback."""

import fcntl
import os
import pickle
import shutil
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parents[1]

for switch, value in {
    "DAGSTER_DISABLE_TELEMETRY": "true",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "TQDM_DISABLE": "1",
}.items():
    os.environ.setdefault(switch, value)

# Warehouses and Dagster's records of tests live in memory: half of a run's time was waiting for a disk. A process that
# is killed leaves the same files behind there.
MEMORY, ROOM = Path("/dev/shm"), 4_000_000_000  # noqa: S108 - pytest makes a folder of its own there
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# How fast a machine is that runs all of this at once is for benchmarks to say.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

WORKER = os.environ.get("PYTEST_XDIST_WORKER")
# The longest files come first, so that no process ends alone with one of them; the line that several share before them.
FIRST = (
    "end_to_end/test_demo.py", "test_same_tables", "tests/test_readme.py", "end_to_end", "spark", "test_identity_",
    "dbt_project", "dagster_cdp/live", "benchmarks",
)  # fmt: skip

if WORKER:
    # pyspark takes a main module without a file for its own doctests and ends the process.
    sys.modules["__main__"].__file__ = str(Path(pytest.__file__).with_name("__main__.py"))
    os.environ["DBT_TARGET_PATH"] = f"target/{WORKER}"  # dbt doesn't share what it makes of the project

if WORKER and os.environ.get("CDP_TEST_POSTGRES") == "1":
    # Tests empty their database, so each process has its own.
    import psycopg2

    own = f"{os.environ['PGDATABASE']}_{WORKER}"
    with closing(psycopg2.connect("")) as server:
        server.autocommit = True
        server.cursor().execute(f"drop database if exists {own} with (force)")
        server.cursor().execute(f"create database {own}")
    os.environ["PGDATABASE"] = own


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_auto_num_workers():
    """Two more than cores: tests that kill or start processes wait for them."""
    return (os.cpu_count() or 1) + 2


def pytest_collection_modifyitems(items):
    """What is marked `whole` waits for the whole run; with `-n`, long files come first."""
    if os.environ.get("CDP_TEST_WHOLE") != "1":
        for item in items:
            if item.get_closest_marker("whole"):
                item.add_marker(pytest.mark.skip(reason="long, and kin to what every run tests: CDP_TEST_WHOLE=1"))
    if WORKER:
        items.sort(key=turn_of)


def turn_of(item):
    file = item.nodeid.split("::")[0]
    return next((turn for turn, part in enumerate(FIRST) if part in file), len(FIRST))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """`made_once(name, make)`: the folder that `make(folder)` filled and what it returned, once for all processes."""
    temporary = tmp_path_factory.getbasetemp()
    shared = temporary.parent if WORKER else temporary

    def find(name, make):
        home, told = shared / name, shared / f"{name}.told"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not told.exists():
                shutil.rmtree(home, ignore_errors=True)  # what another process didn't finish
                home.mkdir()
                told.write_bytes(pickle.dumps(make(home)))
            return home, pickle.loads(told.read_bytes())  # noqa: S301 - written above

    return find


@pytest.fixture(scope="module")
def chromium():
    """Debian's browser, or the reason why not."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("needs chromium: apt-get install chromium")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def cdp_home(tmp_path, monkeypatch):
    """An empty state folder that the environment points to."""
    home = tmp_path / "cdp"
    home.mkdir()
    monkeypatch.setenv("CDP_HOME", str(home))
    monkeypatch.setenv("CDP_WAREHOUSE", str(home / "warehouse.duckdb"))
    monkeypatch.setenv("CDP_INBOX", str(home / "inbox"))
    monkeypatch.setenv("DAGSTER_HOME", str(home / "dagster"))
    monkeypatch.delenv("CDP_TARGET", raising=False)
    monkeypatch.delenv("CDP_LOG", raising=False)
    return home
