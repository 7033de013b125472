"""Holdouts, arms and exclusions: who is kept out, why, and where it is written down."""

import pytest
from activation_town import VIP, Remote, sync_now

from reverse_etl.policy import Policy
from reverse_etl.run import preview
from reverse_etl.split import Split

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
