"""The people of a built demo: what matching by likeness adds to the links that records themselves give."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from tests.agreement import Agreement
from tests.dbt_project.person_map import Identifier, agreement, read_truth

MUST_LINK = 0  # the tier of a person's decision
ONE_PER_PERSON = (0, 1)  # the type codes of user_id and loyalty_number
Link = tuple[int, int, int]
IDENTIFIERS = "select node_id, identifier_type, identifier_value, profile_id from identity.profile_identifiers"
SILENT = "select node_id from identity.identifier_groups where is_shared or is_blocked"
# What would be shared if no likeness told that two contacts are one person's.
CROWDED = """
select ends.node_id
from (
    select left_node_id as node_id, left_type as identifier_type, right_type as neighbour_type
    from identity.identifier_pairs where is_live and tier < 100
    union all
    select right_node_id, right_type, left_type from identity.identifier_pairs where is_live and tier < 100
) as ends join identity.identifier_rules as rules using (identifier_type)
where ends.neighbour_type = 'crm_contact_id'
group by ends.node_id, rules.max_crm_contacts having count(*) > rules.max_crm_contacts
"""
CERTAIN = """
select tier, left_node_id, right_node_id from identity.identifier_pairs
where is_live and tier < 100 and coalesce(decision, 'must_link') = 'must_link'
order by tier, first_landed_at, left_node_id, right_node_id
"""
PROBABLE = """
select 100, left_node_id, right_node_id, rule from identity.probable_links where not is_withdrawn
order by score desc, left_node_id, right_node_id
"""
RULES = {
    "records alone": (),
    "and probable people": ("probable_person",),
    "and probable devices": ("probable_device",),
    "and both": ("probable_person", "probable_device"),
}


class People:
    """Groups of identifiers, joined link by link; a join that gives somebody two logins is refused."""

    def __init__(self, nodes: Iterable[int]) -> None:
        self.parent = {node: node for node in nodes}
        self.singles = {node: [int(node >> 59 == code) for code in ONE_PER_PERSON] for node in self.parent}

    def find(self, node: int) -> int:
        while self.parent[node] != node:
            self.parent[node] = self.parent[self.parent[node]]
            node = self.parent[node]
        return node

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.find(one), self.find(other)))
        counts = [a + b for a, b in zip(self.singles[low], self.singles[high], strict=True)]
        if low != high and max(counts) <= 1:
            self.parent[high], self.singles[low] = low, counts


def measure(home: Path) -> dict[str, Agreement]:
    """Agreement with the truth of `home`: by record links alone, with each kind of probable link, and with all."""
    truth = read_truth(home / "truth")
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as warehouse:
        identifiers = warehouse.execute(IDENTIFIERS).fetchall()
        silent = {node for (node,) in warehouse.execute(SILENT).fetchall()}
        crowded = silent | {node for (node,) in warehouse.execute(CROWDED).fetchall()}
        certain = warehouse.execute(CERTAIN).fetchall()
        probable = warehouse.execute(PROBABLE).fetchall()
    names = [(node, (kind, value)) for node, kind, value, _ in identifiers]
    found = {
        label: compare(
            names,
            silent if "probable_person" in rules else crowded,
            [*certain, *(link[:3] for link in probable if link[3] in rules)],
            truth,
        )
        for label, rules in RULES.items()
    }
    profiles = {(kind, value): profile for _, kind, value, profile in identifiers}
    return {**found, "profiles as the warehouse has them": agreement(profiles, truth)}


def links_right(home: Path) -> dict[str, tuple[int, int]]:
    """Per rule: linked pairs whose truth is known, and how many of them are one person's."""
    truth = read_truth(home / "truth")
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as warehouse:
        people = {node: truth.get((kind, value)) for node, kind, value, _ in warehouse.execute(IDENTIFIERS).fetchall()}
        links = {(rule, one, other) for _, one, other, rule in warehouse.execute(PROBABLE).fetchall()}
    known = [
        (rule, people[one] == people[other]) for rule, one, other in links if people.get(one) and people.get(other)
    ]
    return {
        rule: (sum(one == rule for one, _ in known), sum(right for one, right in known if one == rule))
        for rule in ("probable_person", "probable_device")
    }


def compare(
    names: list[tuple[int, Identifier]], silent: set[int], links: Iterable[Link], truth: dict[Identifier, str]
) -> Agreement:
    people = People(node for node, _ in names)
    for tier, one, other in links:
        if tier == MUST_LINK or not ({one, other} & silent):
            people.join(one, other)
    return agreement({identifier: str(people.find(node)) for node, identifier in names}, truth)
