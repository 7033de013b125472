"""Grouping identifiers equals a union-find, in any order and shape, and never breaks a limit."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterable

import pytest
from component_harness import TYPE_SPAN, Components, Link, canonical, typed
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

LOGIN, EMAIL, COOKIE = 0, 4, 10
# Every example is a dbt run, so few are tried and none is shrunk: the seed alone repeats a failure.
FEW_RUNS = settings(
    max_examples=2,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class UnionFind:
    """The oracle: groups with their members, joined one link at a time."""

    def __init__(self) -> None:
        self.parent: dict[int, int] = {}

    def find(self, node: int) -> int:
        self.parent.setdefault(node, node)
        while self.parent[node] != node:
            self.parent[node] = self.parent[self.parent[node]]
            node = self.parent[node]
        return node

    def union(self, one: int, other: int) -> None:
        low, high = sorted((self.find(one), self.find(other)))
        self.parent[high] = low

    def groups(self) -> dict[int, int]:
        return {node: self.find(node) for node in self.parent}


def union_find(links: Iterable[Link]) -> dict[int, int]:
    oracle = UnionFind()
    for link in links:
        if link.one != link.other:
            oracle.union(link.one, link.other)
    return oracle.groups()


def over_limit(groups: dict[int, int], limits: dict[int, int]) -> set[int]:
    counts = Counter((group, node // TYPE_SPAN) for node, group in groups.items())
    return {group for (group, type_code), count in counts.items() if count > limits.get(type_code, count)}


def admitted(links: Iterable[Link], limits: dict[int, int]) -> dict[int, int]:
    """The oracle of limits: broken groups grow again tier by tier, and a breaking tier is refused."""
    unique = [Link(left, right, tier) for left, right, tier, _, _ in canonical(links, 0, {})]
    groups = union_find(unique)
    broken = over_limit(groups, limits)
    parts = {node: node if group in broken else group for node, group in groups.items()}
    within = [link for link in unique if groups[link.one] in broken]
    for tier in sorted({link.tier for link in within}):
        joined = union_find(Link(parts[link.one], parts[link.other]) for link in within if link.tier == tier)
        grown = {node: joined.get(part, part) for node, part in parts.items()}
        refused = over_limit(grown, limits)
        parts = {node: parts[node] if group in refused else group for node, group in grown.items()}
    return parts


@pytest.fixture(scope="module")
def components(tmp_path_factory: pytest.TempPathFactory) -> Components:
    return Components.build(tmp_path_factory.mktemp("components"))


def chain(nodes: list[int]) -> list[Link]:
    return [Link(one, other) for one, other in itertools.pairwise(nodes)]


def adversarial(dice: random.Random) -> dict[str, list[Link]]:
    numbers = list(range(200))
    shuffled = dice.sample(numbers, len(numbers))
    zigzag = [number for pair in zip(numbers[:100], reversed(numbers[100:]), strict=True) for number in pair]
    by_bits = sorted(range(256), key=lambda number: int(f"{number:08b}"[::-1], 2))
    return {
        "nothing": [],
        "a loop only": [Link(7, 7)],
        "a pair told twice and backwards": [Link(1, 2), Link(2, 1), Link(1, 2)],
        "a sorted chain": chain(numbers),
        "a chain backwards": chain(numbers[::-1]),
        "a shuffled chain": chain(shuffled),
        "a zigzag chain": chain(zigzag),
        "a chain in bit-reversed order": chain(by_bits),
        "a ring": [*chain(numbers), Link(199, 0)],
        "a star around the smallest": [Link(0, number) for number in numbers[1:]],
        "a star around the largest": [Link(500, number) for number in numbers],
        "two stars that share a leaf": [Link(300 + number % 2, number) for number in numbers] + [Link(300, 1)],
        "a grid": [Link(20 * y + x, 20 * y + x + 1) for y in range(20) for x in range(19)]
        + [Link(20 * y + x, 20 * y + x + 20) for y in range(19) for x in range(20)],
        "a giant": [Link(dice.randrange(2000), dice.randrange(2000)) for _ in range(4000)],
        "many pairs": [Link(2 * number, 2 * number + 1) for number in range(500)],
        "a tree whose root is the largest": [Link(1000 - number, 1000 - number // 2) for number in range(1, 300)],
    }


def test_every_shape_of_graph_is_grouped_as_union_find_groups_it(components: Components) -> None:
    shapes = adversarial(random.Random(7))
    answers = components.group(list(shapes.values()))
    for (name, links), answer in zip(shapes.items(), answers, strict=True):
        assert answer == union_find(links), name


@FEW_RUNS
@given(seed=st.integers(0, 2**32), sizes=st.lists(st.integers(2, 60), min_size=40, max_size=40))
def test_random_graphs_are_grouped_as_union_find_groups_them(
    components: Components, seed: int, sizes: list[int]
) -> None:
    dice = random.Random(seed)
    graphs = [
        [Link(dice.randrange(size), dice.randrange(size)) for _ in range(dice.randrange(2 * size))] for size in sizes
    ]
    assert components.group(graphs) == [union_find(graph) for graph in graphs]


def random_people(dice: random.Random) -> list[Link]:
    """Logins, addresses and cookies linked at random: most graphs would join two logins."""
    types = [LOGIN, EMAIL, COOKIE]
    nodes = [typed(dice.choice(types), number) for number in range(dice.randrange(2, 25))]
    return [
        Link(one, other, tier=max(one, other) // TYPE_SPAN)
        for one, other in (dice.sample(nodes, 2) for _ in range(dice.randrange(1, 40)))
    ]


@FEW_RUNS
@given(seed=st.integers(0, 2**32))
def test_a_group_never_holds_more_logins_than_allowed_whatever_the_order(components: Components, seed: int) -> None:
    dice = random.Random(seed)
    limits = {LOGIN: 1, EMAIL: 3}
    graphs = [random_people(dice) for _ in range(80)]
    shuffled = [dice.sample(graph, len(graph)) for graph in graphs]
    answers = components.group([*graphs, *shuffled], limits)
    assert answers[: len(graphs)] == [admitted(graph, limits) for graph in graphs]
    assert answers[len(graphs) :] == answers[: len(graphs)]
    assert not any(over_limit(answer, limits) for answer in answers)


def test_a_weak_link_between_two_logins_is_refused_and_the_strong_ones_stay(
    components: Components,
) -> None:
    ada, bob = typed(LOGIN, 1), typed(LOGIN, 2)
    her_address, his_address, tablet = typed(EMAIL, 3), typed(EMAIL, 4), typed(COOKIE, 5)
    links = [
        Link(ada, her_address, tier=6),
        Link(bob, his_address, tier=6),
        Link(her_address, tablet, tier=11),
        Link(his_address, tablet, tier=11),
    ]
    (groups,) = components.group([links], {LOGIN: 1})
    assert groups == {ada: ada, her_address: ada, bob: bob, his_address: bob, tablet: tablet}
