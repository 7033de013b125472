"""Whoever finds the warehouse taken waits, is told who has it, and gives up in time."""

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import threading
import time

import duckdb
import pytest

from dagster_cdp.patience import WarehouseBusy
from dagster_cdp.warehouse import connect, turn

TAKE_A_TURN = """
import time
from dagster_cdp.warehouse import turn
with turn({purpose!r}):
    print("mine", flush=True)
    time.sleep({seconds})
"""
OPEN_THE_FILE = """
import duckdb, os, time
connection = duckdb.connect(os.environ["CDP_WAREHOUSE"])
print("open", flush=True)
time.sleep({seconds})
"""
SOON = {"duckdb": 1, "postgres": 5}  # seconds


@pytest.fixture
def warehouse(cdp_home):
    """A warehouse file that nobody has open."""
    path = cdp_home / "warehouse.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create table visits as select 1 as visit_id")
    return path


@pytest.fixture
def server(monkeypatch):
    if os.environ.get("CDP_TEST_POSTGRES") != "1":
        pytest.skip("set CDP_TEST_POSTGRES=1 and the PG* variables")
    monkeypatch.setenv("CDP_TARGET", "postgres")


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request):
    request.getfixturevalue({"duckdb": "warehouse", "postgres": "server"}[request.param])
    return request.param


@contextlib.contextmanager
def other_process(program):
    """Another process that has begun to do what the program says."""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline().strip() in {"mine", "open"}
            yield process
        finally:
            process.kill()


def lock_of(warehouse):
    return warehouse.with_name("warehouse.duckdb.lock")


def is_held(warehouse):
    with lock_of(warehouse).open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def in_threads(*steps):
    """Each step in a thread of its own, all at once, until they are over."""
    threads = [threading.Thread(target=step) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.usefixtures("engine")
def test_a_second_process_waits_for_the_first_and_is_told_who_has_it():
    heard = []
    with (
        other_process(TAKE_A_TURN.format(purpose="dbt staging", seconds=1)) as first,
        turn("load orders", progress=heard.append, every=0.2),
    ):
        pass
    assert heard[0].startswith(f"waiting for the warehouse: held by pid {first.pid} 'dbt staging' for ")


def test_the_lock_file_names_the_holder(warehouse):
    with turn("whose card is longer"):
        pass
    with turn("dbt staging"):
        card = json.loads(lock_of(warehouse).read_text())
    assert (card["pid"], card["purpose"]) == (os.getpid(), "dbt staging")
    assert card["since"] == pytest.approx(time.time(), abs=5)


def test_giving_up_says_who_how_long_and_what_to_do(warehouse):
    with (
        other_process(TAKE_A_TURN.format(purpose="dbt staging", seconds=60)) as first,
        pytest.raises(WarehouseBusy) as refusal,
        turn("load orders", timeout=0.3),
    ):
        pass
    message = str(refusal.value)
    assert message.startswith(f"The warehouse is busy: held by pid {first.pid} 'dbt staging' for ")
    assert message.endswith(f"Wait until it is done or stop it (kill {first.pid}), then run this again.")
    assert "\n" not in message


def test_the_turn_of_a_killed_process_is_free_soon(engine):
    with other_process(TAKE_A_TURN.format(purpose="dbt staging", seconds=60)) as first:
        with pytest.raises(WarehouseBusy, match=f"pid {first.pid} 'dbt staging'"), turn("x", timeout=0.2):
            pass
        first.kill()
        first.wait()
        with turn("load orders", timeout=SOON[engine]):
            pass


def test_a_shell_that_knows_nothing_of_turns_is_waited_for_too(warehouse):
    heard = []
    with (
        other_process(OPEN_THE_FILE.format(seconds=0.8)) as shell,
        turn("load orders", timeout=20, progress=heard.append, every=0.2),
    ):
        duckdb.connect(warehouse).close()
    assert f"held by pid {shell.pid} 'python" in heard[0]
    assert "which has the file open" in heard[0]


def test_a_shell_that_never_closes_the_file_is_named(warehouse):
    with other_process(OPEN_THE_FILE.format(seconds=60)) as shell:
        refused = pytest.raises(WarehouseBusy, match=f"held by pid {shell.pid} ")
        with refused, turn("load orders", timeout=0.3):
            pass


def test_a_shell_that_came_between_two_steps_is_waited_for_inside_a_turn(warehouse):
    with (
        turn("the line"),
        other_process(OPEN_THE_FILE.format(seconds=60)),
        pytest.raises(WarehouseBusy),
        turn("dbt staging", timeout=0.2),
    ):
        pass


def test_a_turn_inside_a_turn_does_not_wait_for_itself(warehouse):
    with turn("the line"):
        with turn("dbt staging", timeout=0.1), connect(timeout=0.1) as reader:
            assert reader.execute("select visit_id from visits") == [(1,)]
        assert is_held(warehouse), "until the outermost block ends"
    assert not is_held(warehouse)


def test_an_error_in_the_block_gives_the_turn_back(warehouse):
    with pytest.raises(ZeroDivisionError), turn("dbt staging"):
        raise ZeroDivisionError
    assert not is_held(warehouse)


def test_two_threads_of_one_process_take_turns(warehouse):
    """Two steps of one orchestrator process must not both believe that the turn is theirs."""
    inside, most = [], []

    def step():
        with turn("a step"):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.05)
            inside.pop()

    in_threads(*[step] * 4)
    assert most == [1, 1, 1, 1]


def test_a_thread_that_gives_up_is_not_told_to_kill_its_own_process(warehouse):
    refusals = []

    def impatient():
        try:
            with turn("load orders", timeout=0.1):
                pass
        except WarehouseBusy as refusal:
            refusals.append(str(refusal))

    with turn("dbt staging"):
        in_threads(impatient)
    assert f"pid {os.getpid()} 'dbt staging'" in refusals[0]
    assert "kill" not in refusals[0]


def test_an_abandoned_generator_gives_the_turn_back_from_any_thread(warehouse):
    """Orchestrators drive a step as a generator and may close it elsewhere."""

    def step():
        with turn("dbt staging"):
            yield

    running = step()
    next(running)
    in_threads(running.close)
    assert not is_held(warehouse)
    with turn("again", timeout=0.1):
        pass


def test_the_first_turn_makes_the_folder_but_not_the_file(cdp_home, monkeypatch):
    monkeypatch.setenv("CDP_WAREHOUSE", str(cdp_home / "new" / "warehouse.duckdb"))
    with turn("the first load"):
        assert [path.name for path in (cdp_home / "new").iterdir()] == ["warehouse.duckdb.lock"]


def test_a_half_written_lock_file_does_not_confuse_whoever_waits(warehouse):
    lock = lock_of(warehouse)
    lock.write_text('{"pid": 1')
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with (
            pytest.raises(WarehouseBusy, match="held by another process 'just starting'"),
            turn("x", timeout=0),
        ):
            pass


@pytest.mark.postgres
def test_on_a_server_readers_need_no_turn(server):
    with other_process(TAKE_A_TURN.format(purpose="dbt staging", seconds=60)), connect(timeout=0.1) as reader:
        assert reader.execute("select 1") == [(1,)]
