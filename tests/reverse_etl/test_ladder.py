"""An ordered list of syncs: who moves in it lets go first, and nobody is in two at any moment."""

from contextlib import suppress
from dataclasses import replace

import pytest
from activation_town import VIP, Remote, sync_now

from reverse_etl.ladder import let_go
from reverse_etl.policy import Policy


def ladder(sync, syncs):
    place = syncs.index(sync)
    return Policy(higher=tuple(syncs[:place]), lower=tuple(other.name for other in syncs[place + 1 :]))


def test_nobody_is_in_two_of_an_ordered_list_at_any_moment(warehouse, town):
    """Ann is wanted by both; when the first takes her, the second lets go first."""
    warehouse.execute("create table audiences.best as select * from audiences.vip")
    first, second = VIP.model_copy(update={"audience": "best"}), VIP
    syncs, here, there = [first, second], Remote(), Remote()
    town.audience(["ann", "bob"])

    def both():
        for sync, remote in ((first, here), (second, there)):
            sync_now(warehouse, remote, sync, policy=ladder(sync, syncs), approve=True)
            assert not here.names & there.names

    both()
    assert (here.names, there.names) == (set(), {"ann", "bob"})
    warehouse.execute("insert into audiences.best select * from audiences.vip where profile_id = 'ann'")
    both()
    assert there.names == {"bob"}
    both()
    assert (here.names, there.names) == ({"ann"}, {"bob"})
    town.consent("ann", is_granted=False)
    both()
    assert here.names == set()


class Ladder:
    """Two syncs of which the first has priority; `run` is the command's, with places in memory."""

    def __init__(self, warehouse):
        warehouse.execute("create table audiences.best as select * from audiences.vip")
        self.warehouse, self.first, self.second = warehouse, VIP.model_copy(update={"audience": "best"}), VIP
        self.places = {self.first.name: Remote(), self.second.name: Remote()}

    def policy(self, sync):
        return replace(ladder(sync, [self.first, self.second]), own=sync.name)

    def run(self, sync, kind="run"):
        sync_now(self.warehouse, self.places[sync.name], sync, policy=self.policy(sync), approve=True, kind=kind)
        assert not set.intersection(*self.names)

    def in_turn(self, sync):
        by_name = {one.name: one for one in (self.first, self.second)}
        found = let_go(
            self.warehouse, sync, self.policy(sync), lambda other: self.run(other, "let-go"), by_name.__getitem__
        )
        self.run(sync)
        return found

    @property
    def names(self):
        return [place.names for place in self.places.values()]

    def promote(self, name):
        self.warehouse.execute("insert into audiences.best select * from audiences.vip where profile_id = ?", [name])


@pytest.fixture
def two(warehouse, town):
    two = Ladder(warehouse)
    town.audience(["ann", "bob"])
    two.in_turn(two.second)
    assert two.names == [set(), {"ann", "bob"}]
    return two


def test_moving_up_a_list_takes_one_run(two):
    two.promote("ann")

    assert two.in_turn(two.first) == ["vip_to_remote"]

    assert two.names == [{"ann"}, {"bob"}]
    assert two.in_turn(two.first) == []


def test_moving_down_a_list_takes_one_run(two):
    two.promote("ann")
    two.in_turn(two.first)
    two.warehouse.execute("delete from audiences.best")

    assert two.in_turn(two.second) == ["best_to_remote"]

    assert two.names == [set(), {"ann", "bob"}]


def test_who_moves_down_waits_for_the_first_when_the_second_runs_alone(two):
    two.promote("ann")
    two.in_turn(two.first)
    two.warehouse.execute("delete from audiences.best")

    two.run(two.second)
    assert two.names == [{"ann"}, {"bob"}]
    two.run(two.first)
    two.run(two.second)

    assert two.names == [set(), {"ann", "bob"}]


def test_who_lets_go_sends_nothing_but_removals(two, town):
    town.audience(["ann", "cem"])
    two.promote("ann")

    two.in_turn(two.first)

    assert two.names == [{"ann"}, set()]
    two.run(two.second)
    assert two.names == [{"ann"}, {"cem"}]


@pytest.mark.parametrize("mood", ["lost", "busy", 401])
def test_who_is_not_let_go_waits_and_is_never_at_two(two, mood):
    two.promote("ann")
    two.places["vip_to_remote"].moods = [mood]

    two.in_turn(two.first)

    assert two.names[0] == set()
    two.in_turn(two.first)
    assert two.names == [{"ann"}, {"bob"}]


def test_why_somebody_is_not_let_go_is_said(two, caplog):
    two.promote("ann")
    two.places["vip_to_remote"].moods = [401]

    two.in_turn(two.first)

    assert "still in vip_to_remote waits" in caplog.text
    assert "team:marketing must check its credentials" in caplog.text


def test_who_is_at_both_when_a_list_is_made_stays_at_the_first(two):
    two.promote("ann")
    sync_now(two.warehouse, two.places["best_to_remote"], two.first)
    assert two.names == [{"ann"}, {"ann", "bob"}]

    for _ in range(2):
        with suppress(AssertionError):
            two.in_turn(two.first)
        assert "ann" in two.names[0]
    two.run(two.second)

    assert two.names == [{"ann"}, {"bob"}]
