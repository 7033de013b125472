"""A sync whose options say another list doesn't forget who is on the old one."""

import pytest
from activation_town import VIP, Remote, sync_now

from reverse_etl.policy import Policy
from reverse_etl.run import preview
from reverse_etl.sync import BadDeclaration


def at(list_id, **more):
    return VIP.model_copy(update={"options": {"list_id": list_id, **more}})


@pytest.fixture
def lists(warehouse, town):
    """Two lists, of which the first has two members."""
    lists = {12: Remote(), 13: Remote()}
    town.audience(["ann", "bob"])
    sync_now(warehouse, lists[12], at(12))
    return lists


def test_another_list_is_refused_while_the_old_one_has_members(warehouse, lists):
    with pytest.raises(BadDeclaration, match=r'2 members are at {"list_id": "12"}, .* resync vip_to_remote'):
        sync_now(warehouse, lists[13], at(13))
    with pytest.raises(BadDeclaration, match="empty it first"):
        preview(warehouse, at(13), destination=lists[13], gate="ignored")

    assert lists[13].names == set()
    assert sync_now(warehouse, lists[12], at(12)).requests == 0  # the old place is as good as ever


def test_who_was_let_go_is_added_at_the_new_list(warehouse, lists):
    sync_now(warehouse, lists[12], at(12), approve=True, policy=Policy(exclude=("vip",)))

    sync_now(warehouse, lists[13], at(13))

    assert (lists[12].names, lists[13].names) == (set(), {"ann", "bob"})


def test_a_resync_moves_and_leaves_who_is_there(warehouse, lists):
    sync_now(warehouse, lists[13], at(13), kind="resync")

    assert (lists[12].names, lists[13].names) == ({"ann", "bob"}, {"ann", "bob"})
    assert sync_now(warehouse, lists[13], at(13)).requests == 0
    with pytest.raises(BadDeclaration):
        sync_now(warehouse, lists[12], at(12))


def test_what_says_no_place_may_change(warehouse, lists):
    assert sync_now(warehouse, lists[12], at(12, batch_rows=5)).requests == 0


def test_events_are_never_taken_back_so_they_may_go_elsewhere(warehouse, town):
    town.audience(["ann"])
    first, second = (at(n).model_copy(update={"mode": "append_events"}) for n in (1, 2))
    sync_now(warehouse, Remote(), first)

    assert sync_now(warehouse, Remote(), second).state == "succeeded"
