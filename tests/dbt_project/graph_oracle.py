"""What the resolver must find, one link after the other: union-find, and Kruskal's rule where limits are at stake."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from graph_world import TYPE_SPAN, Graph, Pair, Place, Rule, distinct, moment


class UnionFind:
    """Sets with their smallest member as root."""

    def __init__(self, nodes: Iterable[int] = ()) -> None:
        self.parent = {node: node for node in nodes}

    def find(self, node: int) -> int:
        self.parent.setdefault(node, node)
        while self.parent[node] != node:
            self.parent[node] = self.parent[self.parent[node]]
            node = self.parent[node]
        return node

    def union(self, one: int, other: int) -> None:
        low, high = sorted((self.find(one), self.find(other)))
        self.parent[high] = low

    def members(self) -> dict[int, list[int]]:
        groups: dict[int, list[int]] = defaultdict(list)
        for node in self.parent:
            groups[self.find(node)].append(node)
        return dict(groups)


def union_find(pairs: Iterable[Pair]) -> dict[int, int]:
    """Node -> smallest node of its component, for every node of a link."""
    found = UnionFind()
    for pair in pairs:
        if pair.one != pair.other:
            found.union(*pair.ends)
    return {node: found.find(node) for node in found.parent}


def resolve(graph: Graph, rules: Sequence[Rule]) -> dict[int, Place]:
    """Where each node belongs."""
    hours = graph.nodes()
    shared = shared_nodes(graph, rules)
    out = set(shared) | graph.blocked
    told = distinct(graph.pairs)
    joining = [pair for pair in told if pair.is_live and not out & set(pair.ends)]
    apart = [pair.ends for pair in told if pair.decision == "cannot_link"]
    components = UnionFind(hours)
    for pair in joining:
        components.union(*pair.ends)
    allowed = admitted(joining, hours, rules, apart)
    oldest = {root: min(members, key=lambda node: (hours[node], node)) for root, members in allowed.members().items()}
    sure = confidences(joining, allowed, rules)
    places = {}
    for node in hours:
        group = allowed.find(node)
        places[node] = Place(components.find(node), group, oldest[group], sure[group], *shared.get(node, (None, None)))
    return places


def confidences(joining: Iterable[Pair], allowed: UnionFind, rules: Sequence[Rule]) -> dict[int, str]:
    """Group -> the surest links by which its identifiers that aren't of a loose type still hang together."""
    strength = {rule.type_code: rule.strength for rule in rules}
    found = {}
    inside = [pair for pair in joining if allowed.find(pair.one) == allowed.find(pair.other)]
    for root, members in allowed.members().items():
        known = [node for node in members if strength.get(node // TYPE_SPAN) != "loose"]
        found[root] = "loose"
        for level, name in ((2, "strict"), (1, "exact")):
            parts = UnionFind(members)
            for pair in inside:
                if allowed.find(pair.one) == root and rank(pair, strength) <= level:
                    parts.union(*pair.ends)
            if len({parts.find(node) for node in known}) <= 1:
                found[root] = name
    return found


def rank(pair: Pair, strength: dict[int, str]) -> int:
    ends = {strength.get(end // TYPE_SPAN) for end in pair.ends}
    if pair.tier == 0:
        return 1
    if pair.tier >= 100 or "loose" in ends:
        return 3
    return 1 if "exact" in ends else 2


def shared_nodes(graph: Graph, rules: Sequence[Rule]) -> dict[int, tuple[str, int]]:
    """Node -> the type it has too many neighbours of, and how many."""
    names = {rule.type_code: rule.identifier_type for rule in rules}
    most = {
        (rule.type_code, neighbour): limit
        for rule in rules
        for neighbour, limit in (
            ("user_id", rule.max_user_ids), ("crm_contact_id", rule.max_crm_contacts), ("email", rule.max_emails)
        )
        if limit is not None
    }  # fmt: skip
    doubled = {rule.type_code for rule in rules if rule.strength == "exact" and rule.max_per_profile != 1}
    live = {pair.ends for pair in distinct(graph.pairs) if pair.is_live}
    neighbours: dict[tuple[int, int], set[int]] = defaultdict(set)
    for left, right in live:
        if not graph.blocked & {left, right}:
            neighbours[left, right // TYPE_SPAN].add(right)
            neighbours[right, left // TYPE_SPAN].add(left)
    found: dict[int, tuple[str, int]] = {}
    for (node, code), others in sorted(neighbours.items()):
        once = [other for other in others if code not in doubled or not any((one, other) in live for one in others)]
        count = len(once)
        limit = most.get((node // TYPE_SPAN, names.get(code, "")))
        if limit is not None and count > limit and node not in found:
            found[node] = (names[code], count)
    return found


def classes(node: int, hour: int, rules: Sequence[Rule]) -> list[tuple[tuple[int, int], int]]:
    """The limits a node counts towards: (type, window) and how many may be together."""
    counted = []
    for rule in rules:
        if rule.type_code == node // TYPE_SPAN:
            if rule.max_per_profile is not None:
                counted.append(((rule.type_code, -1), rule.max_per_profile))
            if rule.max_per_window is not None and rule.window_days:
                day = (moment(hour) - moment(0).replace(year=1970)).days
                counted.append(((rule.type_code, day // rule.window_days), rule.max_per_window))
    return counted


def admitted(
    joining: Iterable[Pair], hours: dict[int, int], rules: Sequence[Rule], apart: Sequence[tuple[int, int]]
) -> UnionFind:
    """Each link in order joins its parts, unless that breaks a limit or unites two that were told apart."""
    parts = UnionFind(hours)
    limits = {node: classes(node, hour, rules) for node, hour in hours.items()}
    for pair in sorted(joining, key=lambda pair: (pair.tier, pair.hour, *pair.ends)):
        roots = {parts.find(end) for end in pair.ends}
        union = [node for node in hours if parts.find(node) in roots]
        counts = Counter(counted for node in union for counted in limits[node])
        is_over = any(count > most for (_, most), count in counts.items())
        is_torn = any({parts.find(one), parts.find(other)} <= roots for one, other in apart)
        if len(roots) == 2 and not is_over and not is_torn:
            parts.union(*pair.ends)
    return parts
