"""Holdouts, arms, priorities and exclusions: who is kept out, why, and where it is written down."""

from contextlib import suppress
from dataclasses import replace

import pytest
from activation_town import VIP, Remote, sync_now

from reverse_etl.ladder import let_go
from reverse_etl.policy import Policy, policy_of
from reverse_etl.run import preview
from reverse_etl.split import Split
from reverse_etl.sync import BadDeclaration

CROWD = [f"p{n}" for n in range(400)]
SPLIT = Split(seed="spring", holdout=0.25, arms={"short": 1, "long": 2}, field="variant")


@pytest.fixture
def remote(warehouse, town):
    warehouse.execute(
        "insert into audiences.vip select concat('p', i), concat('p', i, '@example.com'), 'P', 1 "
        + ("from generate_series(0, 399) as t(i)" if warehouse.is_row_store else "from range(400) as t(i)")
    )
    warehouse.execute(
        "insert into profiles.consents select profile_id, 'marketing', 'email', 'granted', true from audiences.vip"
    )
    return Remote(batch_rows=1_000)


def parts(warehouse):
    return dict(warehouse.execute("select arm, count(*) from activation.arms group by arm"))


def test_a_holdout_is_not_sent_and_every_part_is_on_record(warehouse, remote):
    report = sync_now(warehouse, remote, VIP.model_copy(update={"split": SPLIT}))

    found = parts(warehouse)
    assert sum(found.values()) == 400
    assert 70 < found["holdout"] < 130
    assert 60 < found["short"] < 140
    assert 150 < found["long"] < 250
    assert report.plan.held_out == found["holdout"]
    assert len(remote.members) == 400 - found["holdout"]
    sent = [member["variant"] for member in remote.members.values()]
    assert {arm: sent.count(arm) for arm in ("short", "long")} == {arm: found[arm] for arm in ("short", "long")}


def test_a_part_follows_from_profile_and_seed_alone(warehouse, remote):
    def arms(seed, name):
        sync = VIP.model_copy(update={"split": SPLIT.model_copy(update={"seed": seed}), "destination": name})
        sync_now(warehouse, Remote(batch_rows=1_000), sync)
        rows = warehouse.execute(
            "select profile_id, arm from activation.arms where sync_name = ? order by 1", [sync.name]
        )
        return dict(rows)

    assert arms("spring", "here") == arms("spring", "there")
    assert arms("autumn", "elsewhere") != arms("spring", "here")


def test_a_new_holdout_removes_its_people_and_the_arms_stay_recorded(warehouse, remote):
    sync_now(warehouse, remote)
    assert len(remote.members) == 400

    sync_now(warehouse, remote, VIP.model_copy(update={"split": Split(seed="s", holdout=0.5)}), approve=True)

    assert len(remote.members) == 400 - parts(warehouse)["holdout"]
    warehouse.execute("delete from audiences.vip where profile_id = 'p1'")
    sync_now(warehouse, remote, VIP.model_copy(update={"split": Split(seed="s", holdout=0.5)}))
    assert sum(parts(warehouse).values()) == 400


def test_exclusion_lists_keep_out_and_take_out(warehouse, town):
    warehouse.execute("create table audiences.staff (profile_id text)")
    town.audience(["ann", "bob"])
    remote = Remote()
    sync_now(warehouse, remote)
    warehouse.execute("insert into audiences.staff values ('ann'), (null)")

    report = sync_now(warehouse, remote, policy=Policy(exclude=("staff",)))

    assert remote.names == {"bob"}
    assert report.plan.excluded == 1


@pytest.mark.parametrize("name", ["upsert", "add"])
def test_who_is_excluded_does_not_stay_where_those_who_left_may(warehouse, town, name):
    warehouse.execute("create table audiences.staff (profile_id text)")
    sync, remote = VIP.model_copy(update={"mode": name}), Remote()
    town.audience(["ann", "bob", "cem", "dan"])
    sync_now(warehouse, remote, sync, policy=Policy(exclude=("staff",)))
    town.audience(["ann", "dan"])
    warehouse.execute("insert into audiences.staff values ('ann'), ('bob')")

    sync_now(warehouse, remote, sync, policy=Policy(exclude=("staff",)))

    assert remote.names == {"cem", "dan"}


def test_a_preview_assigns_nobody_to_an_arm(warehouse, remote):
    preview(warehouse, VIP.model_copy(update={"split": SPLIT}), destination=remote, gate="ignored")

    assert parts(warehouse) == {}


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


def test_policies_are_files(tmp_path):
    syncs = tmp_path / "syncs"
    policies = tmp_path / "policies"
    syncs.mkdir(), policies.mkdir()
    for audience in ("a", "b", "c"):
        (syncs / f"{audience}_to_x.yml").write_text(
            f"audience: {audience}\ndestination: x\npurpose: marketing\nchannel: email\nfields: {{email: email}}\n"
        )
    (policies / "staff.yml").write_text("exclude: [staff]")
    (policies / "only.yml").write_text("exclude: [minors]\nsyncs: [a_to_x]")
    (policies / "order.yml").write_text("priority: [a_to_x, b_to_x, c_to_x]")

    def read(audience):
        from reverse_etl.sync import find_sync

        return policy_of(find_sync(f"{audience}_to_x", syncs), policies, syncs)

    assert read("a").exclude == ("minors", "staff")
    found = read("b")
    assert (found.exclude, [s.name for s in found.higher], found.lower) == (("staff",), ["a_to_x"], ("c_to_x",))
    for text, reason in (("exclude: []", "exclude or priority"), ("priority: [a, a]", "twice"), ("x: [", "YAML")):
        (policies / "bad.yml").write_text(text)
        with pytest.raises(BadDeclaration, match=reason):
            read("a")
