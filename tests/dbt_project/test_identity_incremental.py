"""The graph built step by step is the graph built at once: identifiers, pairs, groups, profiles and refusals."""

from __future__ import annotations

import random
import shutil

import pytest
from identity_story import begun, build, history, tables
from raw_world import World
from staging_story import order


def at_once(world: World, manifest) -> dict[str, list[tuple[object, ...]]]:
    """The same raw rows and decisions, built from nothing in a copy of the warehouse."""
    folder = world.path.parent / "at_once"
    folder.mkdir(exist_ok=True)
    world.query("checkpoint")  # dbt keeps the file open, with its newest rows in the log beside it
    shutil.copy(world.path, folder / world.path.name)
    copy = World("duckdb", folder / world.path.name, manifest)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CDP_WAREHOUSE", str(copy.path))
        build(copy, "--full-refresh")
        return tables(copy)


def decide(world: World, dice: random.Random) -> None:
    """Some decisions on chance pairs; those of the step before are gone."""
    nodes = [node for (node,) in world.query("select node_id from identity.identifiers order by 1")]
    rows = [
        (dice.choice(["must_link", "cannot_link"]), *dice.sample(nodes, 2), "by chance", "tests", "2026-01-01", None)
        for _ in range(4)
    ]
    insert = "insert into identity.identity_decisions values (?, ?, ?, ?, ?, ?, ?)"
    world.execute([("delete from identity.identity_decisions", ()), *((insert, row) for row in rows)])


@pytest.mark.whole
@pytest.mark.parametrize("seed", range(1, 6))
def test_any_history_of_commits_and_decisions_gives_what_one_build_gives(world, duckdb_manifest, seed):
    dice = random.Random(seed)
    begun(world)
    world.execute(history(world, dice, loads=4, rows=60))
    for step, load in enumerate(dice.sample(range(4), 4)):
        world.commit(f"load-{load}")
        build(world)
        if step:
            decide(world, dice)
            build(world)
        step_by_step = tables(world)
        whole = at_once(world, duckdb_manifest)
        for name, rows in whole.items():
            assert step_by_step[name] == rows, (step, name)
    assert len(whole["blocked_links"]) > 20
    assert len({row[2] for row in whole["profile_identifiers"]}) > 5


def step_by_step(world: World) -> dict[str, list[tuple[object, ...]]]:
    begun(world)
    world.execute(history(world, random.Random(5), loads=2, rows=40))
    for load in ("load-1", "load-0"):
        world.commit(load)
        build(world)
    return tables(world)


@pytest.mark.postgres
@pytest.mark.whole
def test_postgres_builds_the_same_graph_step_by_step_and_at_once(world, postgres_world):
    found = step_by_step(postgres_world)
    assert found == step_by_step(world)
    build(postgres_world, "--full-refresh")
    assert tables(postgres_world) == found


def test_a_rebuild_with_the_same_evidence_gives_every_profile_its_id_again(world):
    begun(world)
    world.execute(history(world, random.Random(3), loads=2, rows=60))
    world.commit("load-0", "load-1")
    build(world)
    before, versions = tables(world), world.query("select count(*) from identity.profile_history")
    build(world, "--full-refresh")
    assert tables(world) == before
    assert world.query("select count(*) from identity.profile_history") == versions


def test_changed_rules_and_placeholders_reach_what_is_already_there(world, duckdb_manifest):
    begun(world)
    world.execute(history(world, random.Random(4), loads=1, rows=80))
    world.commit("load-0")
    build(world)
    before = tables(world)
    world.execute([
        ("update identity.identifier_rules set max_user_ids = null, max_per_profile = null", ()),
        ("insert into identity.blocked_identifiers values ('email', 'exact', 'p1@mail.test', 'a test')", ()),
    ])  # fmt: skip
    build(world)
    changed = tables(world)
    assert changed == at_once(world, duckdb_manifest)
    assert changed["identifier_groups"] != before["identifier_groups"]
    assert changed["profile_identifiers"] != before["profile_identifiers"]


def tell_orders(world, told):
    """Each load of (order, address, login) lands, counts and is built upon before the next."""
    for place, (load, orders) in enumerate(told):
        rows = [
            {**order(f"{load}-{n}-{email}", n, f"2026-01-0{place + 1} 0{i}:00:00", email), "customer_id": user}
            for i, (n, email, user) in enumerate(orders)
        ]
        world.land(load, "web_orders__orders", rows, f"2026-02-0{place + 1} 10:00:00")
        world.commit(load)
        build(world)


def test_the_history_tells_merge_split_and_where_old_ids_lead(world):
    """Two profiles become one by an order that names both, and two again by a decision."""
    begun(world)
    told = [
        ("load-0", [("1", "ada@mail.test", "u1"), ("2", "bob@mail.test", None)]),
        ("load-1", [("3", "ada@mail.test", None), ("3", "bob@mail.test", None)]),
    ]
    tell_orders(world, told)
    ids = dict(world.query("select identifier_value, profile_id from identity.profile_identifiers"))
    assert len({ids["ada@mail.test"], ids["bob@mail.test"]}) == 1
    [(source, target, rule)] = world.query(
        "select from_profile_id, to_profile_id, evidence_rule from identity.profile_changes where cause = 'merge'"
    )
    assert (target, rule) == (ids["u1"], "same_record")
    redirects = dict(world.query("select profile_id, current_profile_id from identity.profile_redirects"))
    assert redirects[source] == target

    [(ada,), (bob,)] = world.query(
        "select node_id from identity.identifiers where identifier_type = 'email' order by identifier_value"
    )
    decided = "insert into identity.identity_decisions values ('cannot_link', ?, ?, 'two', 'tests', '2026-01-01', null)"
    world.execute([(decided, [ada, bob])])
    build(world)
    ids = dict(world.query("select identifier_value, profile_id from identity.profile_identifiers"))
    assert ids["ada@mail.test"] != ids["bob@mail.test"]
    assert ids["bob@mail.test"] == source, "the id that it had before the merge"
    redirects = dict(world.query("select profile_id, current_profile_id from identity.profile_redirects"))
    assert redirects == {target: target, source: source}
    assert ("split", "cannot_link") in world.query("select cause, evidence_rule from identity.profile_changes")
    spans = world.query(
        "select profile_id, is_current, valid_to is null from identity.profile_memberships"
        " where identifier_value = 'bob@mail.test' order by version"
    )
    assert spans == [(source, False, False), (target, False, False), (source, True, True)]
