"""Chains and bridges of one profile, against the plainest possible answers."""

from itertools import pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_cdp.identity.graph import Tie, bridges, chains


@st.composite
def profiles(draw, most=6):
    """A few identifiers, not all of them tied, each pair at most once."""
    nodes = range(draw(st.integers(2, most)))
    pairs = [(left, right) for left in nodes for right in nodes if left < right]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=len(pairs)))
    return [Tie(left, right, draw(st.sampled_from([0, 5, 6, 9, 100]))) for left, right in chosen]


def nodes_of(ties):
    return {node for tie in ties for node in (tie.left, tie.right)}


def reach(ties, start):
    """Everything that can be reached, by trying again until nothing is added."""
    found = {start}
    while more := {tie.other(node) for tie in ties for node in found if node in (tie.left, tie.right)} - found:
        found |= more
    return found


def best_by_trying(ties, start, goal):
    """The least (weakest tier, length) over every path there is."""
    tier = {frozenset((tie.left, tie.right)): tie.tier for tie in ties}
    between = sorted(nodes_of(ties) - {start, goal})
    paths = ((start, *some, goal) for count in range(len(between) + 1) for some in permutations(between, count))
    costs = (
        (max(tier[frozenset(step)] for step in pairwise(path)), len(path) - 1)
        for path in paths
        if all(frozenset(step) in tier for step in pairwise(path))
    )
    return min(costs, default=None)


@given(profiles())
@settings(max_examples=300, deadline=None)
def test_the_chain_is_the_best_of_all_there_are(ties):
    for start in nodes_of(ties):
        found = chains(ties, start)
        assert found.keys() == reach(ties, start)
        for goal in found.keys() - {start}:
            chain = found[goal]
            assert (max(tie.tier for tie in chain), len(chain)) == best_by_trying(ties, start, goal)


@given(profiles())
@settings(max_examples=100, deadline=None)
def test_a_chain_leads_from_one_to_the_other(ties):
    for start in nodes_of(ties):
        for goal, chain in chains(ties, start).items():
            node = start
            for tie in chain:
                assert node in (tie.left, tie.right)
                node = tie.other(node)
            assert node == goal


@given(profiles(most=9))
@settings(max_examples=300, deadline=None)
def test_a_bridge_is_what_parts_when_it_is_taken_away(ties):
    expected = {}
    for tie in ties:
        rest = [other for other in ties if other is not tie]
        if tie.right not in reach(rest, tie.left):
            expected[tie] = (len(reach(rest, tie.left)), len(reach(rest, tie.right)))
    assert {bridge.tie: (bridge.left_count, bridge.right_count) for bridge in bridges(ties)} == expected


@given(profiles(most=7), st.randoms())
@settings(max_examples=100, deadline=None)
def test_the_order_of_reading_changes_nothing(ties, dice):
    mixed = sorted(ties, key=lambda _: dice.random())
    assert bridges(mixed) == bridges(ties)
    for start in nodes_of(ties):
        assert chains(mixed, start) == chains(ties, start)


def test_a_strong_detour_is_better_than_a_weak_shortcut():
    detour = [Tie(1, 2, 5), Tie(2, 3, 5), Tie(3, 4, 5)]
    assert chains([*detour, Tie(1, 4, 9)], 1)[4] == tuple(detour)


def test_two_ties_between_the_same_two_are_no_bridge():
    assert bridges([Tie(1, 2, 5), Tie(1, 2, 9)]) == []


def test_the_bridge_that_parts_most_evenly_comes_first():
    """Two triangles and a lone cookie: the tie between the triangles matters more."""
    triangles = [Tie(1, 2, 5), Tie(2, 3, 5), Tie(1, 3, 5), Tie(4, 5, 5), Tie(5, 6, 5), Tie(4, 6, 5)]
    between, cookie = Tie(3, 4, 9), Tie(1, 7, 9)
    found = bridges([cookie, *triangles, between])
    assert [(bridge.tie, bridge.smaller) for bridge in found] == [(between, 3), (cookie, 1)]


@pytest.mark.parametrize("count", [3_000])
def test_a_long_chain_needs_no_deep_stack(count):
    ties = [Tie(node, node + 1, 5) for node in range(count)]
    assert len(bridges(ties)) == count
    assert len(chains(ties, 0)[count]) == count
