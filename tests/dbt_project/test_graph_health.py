"""What the health marts count is what plain Python counts; a profile or component that explodes stops the line."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from planted_graph import members, plant
from raw_world import World

MARTS = ["profile_sizes", "component_sizes", "graph_health", "identifier_degrees"]
EXPLOSION = ["test", "--select", "assert_no_profile_explodes", "assert_no_component_explodes"]
PERCENTS = (50, 90, 99, 100)


def nearest_rank(values: list[int], percent: int) -> int:
    """The smallest value that at least so many of a hundred don't exceed."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def marts_are_counted_as_python_counts(world: World, seed: int) -> None:
    dice = random.Random(seed)
    world.dbt("run", "--select", *MARTS)
    for profiles in (1, 2, 99, 100, 101, 400):
        sizes = [1 + int(dice.expovariate(0.3)) for _ in range(profiles)]
        graph = members({f"p{number}": size for number, size in enumerate(sizes)})
        nodes = len(graph)
        pairs = sorted({(one, other) for one, other in dice_pairs(dice, nodes) if one < other})
        cut, reached = dice_components(dice, sizes)
        plant(world, graph, pairs, cut)
        assert world.query(
            "select profile_count, identifier_count, singleton_count, p50_identifier_count, p90_identifier_count,"
            " p99_identifier_count, max_identifier_count, pair_count from ops.graph_health"
        ) == [(profiles, nodes, sizes.count(1), *(nearest_rank(sizes, p) for p in PERCENTS), len(pairs))]
        assert world.query(
            "select component_count, p50_component_size, p90_component_size, p99_component_size, max_component_size"
            " from ops.graph_health"
        ) == [(len(reached), *(nearest_rank(reached, p) for p in PERCENTS))]
        assert dict(world.query("select identifier_count, cumulative_ppm from ops.profile_sizes")) == {
            size: sum(other <= size for other in sizes) * 1_000_000 // profiles for size in sizes
        }
        degrees = Counter(node for pair in pairs for node in pair)
        counts = [degrees[node] for node in range(nodes)]
        [(mean, *rest)] = world.query(
            "select mean_pair_count, identifier_count, p99_pair_count, max_pair_count from ops.identifier_degrees"
        )
        assert rest == [nodes, nearest_rank(counts, 99), max(counts)]
        assert int(mean * 100) == sum(counts) * 100 // nodes


def dice_components(dice: random.Random, sizes: list[int]) -> tuple[list[list[str]], list[int]]:
    """The names of profiles that evidence connects, and how many identifiers such a component has."""
    component = [dice.randrange(len(sizes)) for _ in sizes]
    cut = {one: [number for number, other in enumerate(component) if other == one] for one in set(component)}
    names = [[f"p{number}" for number in numbers] for numbers in cut.values()]
    return names, [sum(sizes[number] for number in numbers) for numbers in cut.values()]


def dice_pairs(dice: random.Random, nodes: int) -> list[tuple[int, int]]:
    return [(dice.randrange(nodes), dice.randrange(nodes)) for _ in range(2 * nodes)]


def test_marts_count_as_python_counts(world):
    plant(world, [])
    marts_are_counted_as_python_counts(world, seed=7)


@pytest.mark.postgres
def test_marts_count_as_python_counts_on_postgres(postgres_world):
    plant(postgres_world, [])
    marts_are_counted_as_python_counts(postgres_world, seed=8)


def growth(world: World) -> list[tuple[int, int]]:
    world.dbt("run", "--select", *MARTS, "graph_growth", "--full-refresh")
    return world.query("select build_number, max_identifier_count from ops.graph_growth order by build_number")


def test_growth_is_noted_when_something_changed_and_is_never_forgotten(world):
    plant(world, members({"ada": 3, "bob": 1}))
    assert growth(world) == [(1, 3)]
    assert growth(world) == [(1, 3)]
    plant(world, members({"ada": 4}))
    assert growth(world) == [(1, 3), (2, 4)]
    plant(world, members({"ada": 3, "bob": 1}))
    assert growth(world) == [(1, 3), (2, 4), (3, 3)]


def explodes(world: World) -> bool:
    """Whether the test refuses one profile; dbt may fail for no other reason."""
    try:
        world.dbt(*EXPLOSION)
    except AssertionError as failure:
        if "Got 1 result" not in str(failure):
            raise
        return True
    return False


def test_the_largest_profile_has_a_limit_that_orders_do_not_count_to(world):
    plant(world, members({"good customer": 300, "bob": 2}, orders=400))
    assert not explodes(world)
    plant(world, members({"kiosk": 301, "bob": 2}))
    assert explodes(world)


def test_a_profile_may_not_grow_more_than_fivefold_in_one_build(world):
    plant(world, members({"ada": 250}))
    assert not explodes(world)
    plant(world, members({"ada": 12}))
    growth(world)
    plant(world, members({"ada": 60}))
    assert not explodes(world)
    plant(world, members({"ada": 61}))
    assert explodes(world)
    assert explodes(world)
    world.dbt("run", "--select", "graph_growth")
    assert not explodes(world)


def test_a_component_that_limits_cut_into_small_profiles_explodes_all_the_same(world):
    towns = [f"p{number}" for number in range(61)]
    plant(world, members(dict.fromkeys(towns, 50)), cut=[towns[:60]])
    assert not explodes(world)
    plant(world, members(dict.fromkeys(towns, 50)), cut=[towns])
    assert explodes(world)


@pytest.mark.whole
def test_nor_may_a_component_grow_more_than_fivefold_in_one_build(world):
    graph = members(dict.fromkeys(["ada", "bob", "cleo", "dan", "eve", "fay"], 10))
    plant(world, graph)
    growth(world)
    plant(world, graph, cut=[["ada", "bob", "cleo", "dan", "eve"]])
    assert not explodes(world)
    plant(world, graph, cut=[["ada", "bob", "cleo", "dan", "eve", "fay"]])
    assert explodes(world)
    world.dbt("run", "--select", "graph_growth")
    assert not explodes(world)


def growth_of_before_components_were_counted(world: World) -> None:
    plant(world, members({"ada": 12}))
    assert growth(world) == [(1, 12)]
    world.execute([("alter table ops.graph_growth drop column max_component_size", ())])
    plant(world, members({"ada": 12, "bob": 12, "cleo": 50}), cut=[["ada", "bob", "cleo"]])
    assert not explodes(world), "of before nothing is known"
    assert growth(world) == [(1, 12), (2, 50)]
    assert world.query("select max_component_size from ops.graph_growth order by 1 nulls first") == [(None,), (74,)]
    assert growth(world) == [(1, 12), (2, 50)]


def test_growth_that_was_kept_before_components_were_counted_stays(world):
    growth_of_before_components_were_counted(world)


@pytest.mark.postgres
@pytest.mark.whole
def test_growth_that_was_kept_before_components_were_counted_stays_on_postgres(postgres_world):
    growth_of_before_components_were_counted(postgres_world)


@pytest.mark.whole
def test_a_small_profile_may_grow_as_it_likes(world):
    plant(world, members({"ada": 2}))
    growth(world)
    plant(world, members({"ada": 50}))
    assert not explodes(world)


def seen(event: str, cookie: int, **told: object) -> dict[str, object]:
    at = "2026-01-01 00:00:00"
    known = {"message_id": event, "anonymous_id": f"cookie-{cookie}", "timestamp": at, "received_at": at}
    return {"type": "identify", **known, **told}


def contact(phone: int, address: int) -> str:
    return f'{{"phone": "+441632960{phone:03}", "email": "p{address}@mail.test"}}'


ON_A_LOGIN = [seen(f"e{cookie}", cookie, user_id="u1") for cookie in range(301)]
IN_A_CHAIN = [
    seen(f"e{phone}-{address}", phone, traits=contact(phone, address))
    for phone in range(60)
    for address in (phone, phone + 1)
]


@pytest.mark.parametrize(("events", "is_profile_huge"), [(ON_A_LOGIN, True), (IN_A_CHAIN, False)])
def test_an_explosion_stops_the_line_before_profiles_are_built(world, events, is_profile_huge):
    """One login on 301 cookies, or 60 phones in a chain that limits cut: identity fails, what reads it isn't built."""
    world.land("load-1", "web_events__events", events, "2026-01-02 00:00:00")
    world.commit("load-1")
    largest = 3000 if is_profile_huge else 180  # the chain: 60 cookies, 60 phones and 61 addresses
    line = ["build", "--select", "+told_attributes", "+graph_growth", "--exclude-resource-type", "unit_test"]
    with pytest.raises(AssertionError, match="Got 1 result"):
        world.dbt(*line, "--vars", f"{{largest_component: {largest}}}")
    [(largest,)] = world.query("select max(held) from (select count(*) as held from identity.profile_identifiers"
                               " group by profile_id) as profiles")  # fmt: skip
    assert largest == 302 if is_profile_huge else largest < 50
    built = "select table_name from information_schema.tables where table_name in ('told_attributes', 'graph_growth')"
    assert world.query(built) == []


@pytest.mark.whole
def test_and_the_line_goes_on_when_the_size_is_accepted(world):
    """The README's way out: raise the variable."""
    world.land("load-1", "web_events__events", ON_A_LOGIN, "2026-01-02 00:00:00")
    world.commit("load-1")
    line = ["build", "--select", "+graph_growth", "--exclude-resource-type", "unit_test"]
    world.dbt(*line, "--indirect-selection", "buildable", "--vars", "{largest_profile: 302}")
    assert world.query("select max_identifier_count, max_component_size from ops.graph_growth") == [(302, 302)]
