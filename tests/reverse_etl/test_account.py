"""What syncs to one account share: the pace, and the memory that it is down or refuses us."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from activation_town import VIP, Remote, email_of, sync_now

from reverse_etl.account import account_of
from reverse_etl.destination import DestinationRefused
from reverse_etl.journal import open_journal
from reverse_etl.run import SyncHeld


class Slow(Remote):
    rate = 2.0

    @property
    def spec(self):
        return replace(super().spec, requests_per_second=self.rate, **self.more)

    more = MappingProxyType({})


def test_the_bucket_is_shared_by_all_who_use_the_account(warehouse):
    open_journal(warehouse)
    here, there = (account_of(warehouse, VIP, Slow()) for _ in range(2))

    waits = [one.wait_seconds() for one in (here, there, here)]

    assert waits[0] == 0
    assert 0.4 < waits[1] <= 0.5
    assert 0.9 < waits[2] <= 1.0
    other = Slow()
    other.account = "another"
    assert account_of(warehouse, VIP, other).wait_seconds() == 0


def test_a_run_waits_its_turn(warehouse, town):
    town.audience(["ann", "bob", "cem"])
    slept = []
    sync_now(warehouse, Slow(batch_rows=1), sleep=slept.append)

    assert len(slept) == 2


def test_a_destination_that_was_down_is_asked_once_before_it_is_asked_more(warehouse, town):
    town.audience([f"p{n}" for n in range(9)])
    remote = Remote(moods=["down"] * 9, batch_rows=1, attempts=3)
    sync_now(warehouse, remote)
    before = len(remote.requests)
    remote.moods = ["down"] * 9

    sync_now(warehouse, remote, VIP.model_copy(update={"channel": "email"}))

    assert len(remote.requests) - before == 1
    remote.moods = []
    assert sync_now(warehouse, remote).state == "succeeded"
    assert warehouse.execute("select failures from activation.accounts") == [(0,)]


def test_refused_credentials_pause_the_account_until_one_request_is_taken(warehouse, town):
    town.audience(["ann", "bob"])
    remote = Remote(moods=[401, 401], batch_rows=1)
    for _ in range(2):
        with pytest.raises(DestinationRefused, match="team:marketing must check"):
            sync_now(warehouse, remote)
    assert len(remote.requests) == 2
    assert warehouse.execute("select pause_reason from activation.accounts") == [("auth_http_401",)]

    assert sync_now(warehouse, remote).state == "succeeded"
    assert warehouse.execute("select pause_reason from activation.accounts") == [(None,)]


def test_a_days_rows_are_not_exceeded_and_removals_come_first(warehouse, town):
    town.audience(["ann", "bob", "cem", "dan"])
    remote = Slow(batch_rows=2)
    remote.rate, remote.more = None, {"daily_rows": 5}
    sync_now(warehouse, remote)
    town.audience(["bob", "eve", "fay"])

    report = sync_now(warehouse, remote)

    assert report.outcomes == {"remove": {"delivered": 1}}
    assert report.reasons == {"daily_quota": 4}
    assert report.state == "partial"


@pytest.mark.parametrize(
    ("guards", "words"),
    [
        ({"quota": 3}, "a day's 3"),
        ({"cost": 1.5}, "would cost 2.00"),
    ],
)
def test_quota_and_budget_hold_what_would_exceed_them(warehouse, town, guards, words):
    from reverse_etl.limits import Guards

    town.audience(["ann", "bob", "cem", "dan"])
    remote = Slow()
    remote.rate, remote.more = None, {"cost_per_row": 0.5}
    sync = VIP.model_copy(update={"guards": Guards.model_validate(guards)})

    with pytest.raises(SyncHeld, match=words):
        sync_now(warehouse, remote, sync)

    assert remote.members == {}
    assert sync_now(warehouse, remote, sync, approve=True).cost == 2.0
    assert email_of("ann") in remote.members
