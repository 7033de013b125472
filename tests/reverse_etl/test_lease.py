"""One run per sync: the second refuses or waits, and who lost the lease writes nothing."""

import socket
import subprocess
import sys
import threading
import time

import pytest
from activation_town import VIP, Remote, sync_now

from reverse_etl.journal import open_journal
from reverse_etl.lease import LeaseLost, SyncBusy, _take, lease
from reverse_etl.warehouse import DuckDBWarehouse


@pytest.fixture
def leased(warehouse):
    open_journal(warehouse)
    return warehouse


def test_a_second_run_refuses_and_says_who_is_at_it(leased, town):
    town.audience(["ann"])
    remote = Remote()
    with lease(leased, VIP.name), pytest.raises(SyncBusy, match=rf"process \d+ on {socket.gethostname()}"):
        sync_now(leased, remote)
    assert remote.requests == []


def test_a_second_run_waits_when_told_to(leased):
    def hold_for_a_moment():
        with lease(leased, "a_to_b"):
            taken.set()
            time.sleep(0.3)

    taken = threading.Event()
    first = threading.Thread(target=hold_for_a_moment)
    if leased.is_row_store:
        pytest.skip("one connection can't be two sessions of PostgreSQL")
    first.start()
    taken.wait()
    with lease(leased, "a_to_b", wait_seconds=10) as second:
        assert second.epoch > 0
    first.join()


def test_who_comes_while_another_is_taking_it_finds_it_taken(leased):
    if leased.is_row_store:
        pytest.skip("PostgreSQL lets the second wait for the row")
    with lease(leased, "a_to_b"):
        pass
    other = DuckDBWarehouse(leased._connection.cursor())
    with other.transaction():
        assert _take(other, "a_to_b", "host:1:other")
        with pytest.raises(SyncBusy), lease(leased, "a_to_b"):
            pass


def test_each_lease_has_a_later_epoch(leased):
    with lease(leased, "a_to_b") as first:
        pass
    with lease(leased, "a_to_b") as second:
        pass
    assert second.epoch == first.epoch + 1


def test_syncs_do_not_wait_for_each_other(leased):
    with lease(leased, "a_to_b"), lease(leased, "c_to_d"):
        pass


def test_the_lease_of_a_dead_process_is_taken_over(leased):
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    with lease(leased, "a_to_b"):
        leased.execute("update activation.leases set holder = ?", [f"{socket.gethostname()}:{int(gone.stdout)}:abcd"])
        with lease(leased, "a_to_b") as successor:
            assert successor.epoch


def test_another_machines_lease_is_waited_for_until_it_expires(leased):
    with lease(leased, "a_to_b"):
        leased.execute("update activation.leases set holder = 'elsewhere:1:abcd'")
        with pytest.raises(SyncBusy, match="process 1 on elsewhere"), lease(leased, "a_to_b"):
            pass
        leased.execute("update activation.leases set expires_at = cast('2000-01-01' as timestamp)")
        with lease(leased, "a_to_b"):
            pass


def test_who_lost_the_lease_stops_before_writing(leased, town):
    town.audience(["ann", "bob"])
    remote = Remote(batch_rows=1)
    remote.on_request = lambda: leased.execute("update activation.leases set epoch = epoch + 1")

    with pytest.raises(LeaseLost):
        sync_now(leased, remote)

    assert len(remote.requests) == 1
    assert leased.execute("select count(*) from activation.attempts") == [(0,)]


def test_an_abandoned_run_is_marked_as_such(leased, town):
    town.audience(["ann"])
    sync_now(leased, Remote())
    leased.execute("update activation.sync_runs set state = 'running'")

    sync_now(leased, Remote())

    states = leased.execute("select state from activation.sync_runs order by epoch")
    assert states == [("abandoned",), ("succeeded",)]
