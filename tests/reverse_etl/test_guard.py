"""What holds a sync: a suspicious shrinking, a gate that is not passed; and what a hold never delays."""

import pytest
from activation_town import VIP, Remote, sync_now

from reverse_etl.run import SyncHeld, preview

CROWD = [f"p{n}" for n in range(20)]


@pytest.fixture
def remote(warehouse, town):
    """A place that holds the crowd."""
    place = Remote()
    town.audience(CROWD)
    sync_now(warehouse, place)
    return place


def test_a_third_of_the_members_leaves_only_with_a_persons_word(warehouse, town, remote):
    town.audience(CROWD[7:])
    with pytest.raises(SyncHeld, match=r"7 of 20 members would be removed \(limit 30%\)"):
        sync_now(warehouse, remote)
    assert len(remote.members) == 20

    sync_now(warehouse, remote, approve=True)

    assert remote.names == set(CROWD[7:])


def test_fewer_leave_unasked(warehouse, town, remote):
    town.audience(CROWD[6:])

    assert sync_now(warehouse, remote).state == "succeeded"


def test_additions_wait_with_the_removals(warehouse, town, remote):
    town.audience(["newcomer"])

    with pytest.raises(SyncHeld):
        sync_now(warehouse, remote)

    assert "newcomer" not in remote.names


def test_an_empty_audience_holds_even_a_small_sync(warehouse, town):
    town.audience(["ann"])
    remote = Remote()
    sync_now(warehouse, remote)
    town.audience([])

    with pytest.raises(SyncHeld, match=r"audiences\.vip is empty"):
        sync_now(warehouse, remote)


def test_in_a_small_sync_a_large_share_is_no_alarm(warehouse, town):
    remote = Remote()
    town.audience(CROWD[:10])
    sync_now(warehouse, remote)
    town.audience(CROWD[:1])

    assert sync_now(warehouse, remote).state == "succeeded"


def test_a_first_run_is_never_held(warehouse, town):
    town.audience([])

    assert sync_now(warehouse, Remote()).state == "succeeded"


def test_everyone_may_take_back_their_consent_at_once(warehouse, town, remote):
    """Their removal is due, however many they are."""
    for name in CROWD:
        town.consent(name, is_granted=False)

    assert sync_now(warehouse, remote).state == "succeeded"
    assert remote.names == set()


def test_consents_that_vanish_without_a_denial_are_suspicious(warehouse, town, remote):
    """An empty consent table is more likely a broken build than a change of everybody's mind."""
    warehouse.execute("delete from profiles.consents")

    with pytest.raises(SyncHeld):
        sync_now(warehouse, remote)


def test_a_hold_does_not_keep_those_who_asked_to_leave(warehouse, town, remote):
    town.consent("p1", is_granted=False)
    town.audience(["p0"], consenting=False)

    with pytest.raises(SyncHeld):
        sync_now(warehouse, remote)

    assert remote.names == set(CROWD) - {"p1"}


def test_the_limit_is_the_syncs_own(warehouse, town, remote):
    town.audience(CROWD[1:])

    with pytest.raises(SyncHeld):
        sync_now(warehouse, remote, VIP.model_copy(update={"max_removed_share": 0.0}))


def test_no_verdict_is_no_pass(warehouse, town):
    town.audience(["ann"])
    remote = Remote()
    with pytest.raises(SyncHeld, match="never checked"):
        sync_now(warehouse, remote, gate="required")

    warehouse.execute("drop table ops.gate_results")

    with pytest.raises(SyncHeld, match=r"no ops\.gate_results"):
        sync_now(warehouse, remote, gate="required")
    assert remote.names == set()


def test_the_newest_verdict_counts(warehouse, town):
    town.audience(["ann"])
    town.verdict(is_passed=True, at="2026-01-01 00:00:00")
    town.verdict(is_passed=False, at="2026-01-02 00:00:00")
    remote = Remote()
    with pytest.raises(SyncHeld, match="not passed"):
        sync_now(warehouse, remote, gate="required")

    town.verdict(is_passed=True, at="2026-01-03 00:00:00")

    assert sync_now(warehouse, remote, gate="required").state == "succeeded"


def test_every_suite_on_the_table_must_be_passed(warehouse, town):
    town.audience(["ann"])
    town.verdict(is_passed=False, suite="another")
    town.verdict(is_passed=True, at="2026-02-01 00:00:00")

    with pytest.raises(SyncHeld, match="not passed"):
        sync_now(warehouse, Remote(), gate="required")


def test_approval_of_a_removal_does_not_open_a_gate(warehouse, town):
    town.audience(["ann"])
    town.verdict(is_passed=False)

    with pytest.raises(SyncHeld, match="--gate ignored"):
        sync_now(warehouse, Remote(), gate="required", approve=True)


def test_a_preview_tells_why_a_run_would_be_held(warehouse, town, remote):
    town.audience(["p0"])

    _, held = preview(warehouse, VIP, destination=remote, gate="ignored")

    assert held.startswith("19 of 20 members")
