"""Guards of the sync's YAML: what trips each, what it does, and how a person lets exactly one plan pass."""

from dataclasses import replace

import pytest
from activation_town import VIP, Remote, sync_now

from reverse_etl.approval import approve
from reverse_etl.limits import Guards
from reverse_etl.run import SyncHeld, previewing
from reverse_etl.sync import BadDeclaration

CROWD = [f"p{n}" for n in range(20)]


def guarded(**guards):
    return VIP.model_copy(update={"guards": Guards.model_validate(guards)})


@pytest.fixture
def remote(warehouse, town):
    place = Remote()
    town.audience(CROWD)
    sync_now(warehouse, place)
    return place


CASES = [
    ({"removed_share": 0.1}, CROWD[3:], "3 of 20 members would be removed"),
    ({"changed_share": 0.1}, {name: {"amount": 9} if n < 3 else {} for n, name in enumerate(CROWD)}, "3 of 20"),
    ({"floor": 19}, CROWD[2:], "only 18 members are wanted"),
    ({"ceiling": 20}, [*CROWD, "new"], "21 members are wanted"),
    ({"quota": 20}, [*CROWD, "new"], "1 changes after 20 today"),
]


@pytest.mark.parametrize("case", CASES)
def test_a_guard_holds_and_approval_lifts_it(warehouse, town, remote, case):
    guards, people, words = case
    town.audience(people)
    with pytest.raises(SyncHeld, match=words) as held:
        sync_now(warehouse, remote, guarded(**guards))
    assert held.value.report.state == "held"

    assert sync_now(warehouse, remote, guarded(**guards), approve=True).state == "succeeded"


@pytest.mark.parametrize("case", CASES)
def test_a_guard_may_block_for_good_or_only_warn(warehouse, town, remote, case):
    guards, people, words = case
    [(name, limit)] = guards.items()
    town.audience(people)
    blocking = guarded(**{name: {"limit": limit, "action": "block"}})
    with pytest.raises(SyncHeld, match=r"blocked by guards in vip_to_remote\.yml") as blocked:
        sync_now(warehouse, remote, blocking, approve=True)
    assert blocked.value.report.state == "blocked"
    with pytest.raises(BadDeclaration, match="nothing to approve"):
        approve(warehouse, blocking)

    report = sync_now(warehouse, remote, guarded(**{name: {"limit": limit, "action": "warn"}}))

    assert report.state == "succeeded"
    assert any(words in warning for warning in report.warnings)


def test_a_large_first_run_is_held_where_the_sync_says_so(warehouse, town):
    town.audience(CROWD)
    with pytest.raises(SyncHeld, match="first run would add 20"):
        sync_now(warehouse, Remote(), guarded(first_run=10))


def test_fewer_than_the_destination_serves_is_a_warning(warehouse, town):
    class Large(Remote):
        @property
        def spec(self):
            return replace(super().spec, smallest_audience=100)

    town.audience(["ann"])
    assert "no fewer than 100" in sync_now(warehouse, Large()).warnings[0]


def test_an_approval_lets_exactly_the_held_plan_pass_once(warehouse, town, remote):
    town.audience(CROWD[:5])
    with pytest.raises(SyncHeld, match="approve vip_to_remote"):
        sync_now(warehouse, remote)

    assert "remove 15" in approve(warehouse, VIP, "ada")
    report = sync_now(warehouse, remote)

    assert (report.state, report.approved_by) == ("succeeded", "ada")
    assert remote.names == set(CROWD[:5])
    assert warehouse.execute("select approved_by from activation.sync_runs where approved_by is not null") == [("ada",)]
    town.audience(CROWD)
    sync_now(warehouse, remote)
    town.audience(CROWD[:5])
    with pytest.raises(SyncHeld):  # the same plan again is another decision
        sync_now(warehouse, remote)


def test_another_plan_than_the_approved_is_held_again(warehouse, town, remote):
    town.audience(CROWD[:5])
    with pytest.raises(SyncHeld):
        sync_now(warehouse, remote)
    approve(warehouse, VIP, "ada")
    town.audience(CROWD[:4])

    with pytest.raises(SyncHeld):
        sync_now(warehouse, remote)

    assert len(remote.members) == 20


def test_a_revocation_meanwhile_does_not_void_the_approval(warehouse, town, remote):
    town.audience(CROWD[:5])
    with pytest.raises(SyncHeld):
        sync_now(warehouse, remote)
    approve(warehouse, VIP, "ada")
    town.consent("p0", is_granted=False)

    assert sync_now(warehouse, remote).state == "succeeded"
    assert remote.names == set(CROWD[1:5])


def test_nothing_held_is_nothing_to_approve(warehouse, town, remote):
    with pytest.raises(BadDeclaration, match="nothing to approve"):
        approve(warehouse, VIP)


def test_a_preview_shows_cost_warnings_and_masked_keys(warehouse, town, remote):
    from reverse_etl.history import sample

    town.audience([*CROWD[2:], "a-long-key-of-somebody"])
    with previewing(warehouse, guarded(floor={"limit": 50, "action": "warn"}), destination=remote, gate="ignored") as (
        planned, verdict, run_id,
    ):  # fmt: skip
        shown = sample(warehouse, run_id)
    assert (planned.add, planned.remove, verdict.held) == (1, 2, "")
    assert verdict.warnings
    assert shown == {"add": ["a-…dy"], "remove": ["…", "…"]}


def test_a_resync_sends_everybody_again_and_removes_who_left(warehouse, town, remote):
    """The trap of a full re-send: who left in the meantime is in no row of the audience."""
    town.audience(CROWD[2:])

    report = sync_now(warehouse, remote, guarded(changed_share=0.1), kind="resync")

    assert report.outcomes == {"change": {"delivered": 18}, "remove": {"delivered": 2}}
    assert remote.names == set(CROWD[2:])
    assert sync_now(warehouse, remote).requests == 0


def test_a_resync_that_died_is_carried_on_by_the_next_run(warehouse, town, remote):
    remote.moods = ["down"] * 3
    remote.batch_rows = 5
    sync_now(warehouse, remote, kind="resync")

    assert sync_now(warehouse, remote).plan.change == 20


def test_rejected_rows_are_retried_on_request_and_buried_with_a_reason(warehouse, town):
    remote = Remote()
    town.audience({"ann": {}, "bob": {"first_name": "Poison"}})
    sync_now(warehouse, remote)
    letters = "select operation, code, times, record_key from activation.dead_letters"
    assert warehouse.execute(letters) == [("add", "told", 1, "bob")]
    sync_now(warehouse, remote, kind="retry-rejected")
    assert warehouse.execute(letters) == [("add", "told", 2, "bob")]
    town.audience(["ann", "bob"])

    sync_now(warehouse, remote)

    assert warehouse.execute(letters) == []
