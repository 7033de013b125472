"""One profile as it stands: its identifiers, what ties them, what was refused, and how it came about.

Every question filters by the profile or its nodes; none reads the whole graph into Python.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from dagster_cdp.identity.graph import Bridge, Tie, bridges
from reverse_etl.warehouse import Warehouse

CONFIDENCES = ("exact", "strict", "loose")  # the strongest first
MOST_REFUSALS = 200  # a kiosk is refused thousands of times; all of them are in identity.blocked_links
Label = tuple[str, str]  # type and value of an identifier


@dataclass(frozen=True, slots=True)
class Member:
    """One identifier of a profile; an address and its hash are two of them with one node."""

    node_id: int
    identifier_type: str
    value: str
    confidence: str
    is_shared: bool
    since: datetime | None
    first_seen_at: datetime | None
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Evidence that joins nobody, and why."""

    left: int
    right: int
    left_label: Label
    right_label: Label
    reason: str
    detail: str | None
    evidence_count: int
    first_observed_at: datetime | None
    left_profile_id: str | None
    right_profile_id: str | None

    def touches(self, profile_id: str | None) -> bool:
        return profile_id is not None and profile_id in (self.left_profile_id, self.right_profile_id)


@dataclass(frozen=True)
class Person:
    """What one profile is made of."""

    profile_id: str
    members: tuple[Member, ...]
    ties: tuple[Tie, ...]
    refusals: tuple[Refusal, ...]
    refusal_count: int
    confidence: str = "loose"  # by how sure links its known identifiers hang together

    @cached_property
    def labels(self) -> dict[int, Label]:
        """Each node once; an address rather than its hash."""
        return {
            member.node_id: (member.identifier_type, member.value)
            for member in sorted(self.members, key=lambda member: member.identifier_type, reverse=True)
        }

    @cached_property
    def bridges(self) -> list[Bridge]:
        return bridges(self.ties)


def read_person(warehouse: Warehouse, profile_id: str) -> Person:
    members = warehouse.execute(
        "select node_id, identifier_type, identifier_value, confidence, is_shared, since, first_seen_at, last_seen_at"
        " from identity.profile_identifiers where profile_id = ? order by node_id, identifier_type",
        [profile_id],
    )
    refusals, count = read_refusals(warehouse, profile_id)
    sure = "select max(profile_confidence) from identity.profile_identifiers where profile_id = ?"
    [(confidence,)] = warehouse.execute(sure, [profile_id])
    ties = tuple(read_ties(warehouse, profile_id))
    return Person(profile_id, tuple(Member(*row) for row in members), ties, refusals, count, str(confidence))


def read_ties(warehouse: Warehouse, profile_id: str) -> list[Tie]:
    """What holds the profile together: live pairs between its own nodes that nothing forbids."""
    rows = warehouse.execute(
        """
        with members as (select distinct node_id from identity.profile_identifiers where profile_id = ?)
        select left_node_id, right_node_id, tier, confidence, rule, score, link_count, first_observed_at, decision
        from identity.identifier_pairs
        where left_node_id in (select node_id from members) and right_node_id in (select node_id from members)
            and is_live and coalesce(decision, '') <> 'cannot_link'
        order by left_node_id, right_node_id
        """,
        [profile_id],
    )
    return [
        Tie(
            left,
            right,
            tier,
            confidence,
            rule or decision,
            None if score is None else float(score),
            count,
            at,
            decision,
        )
        for left, right, tier, confidence, rule, score, count, at, decision in rows
    ]


def read_refusals(warehouse: Warehouse, profile_id: str) -> tuple[tuple[Refusal, ...], int]:
    """Refused links at this profile, those with the most evidence first, and how many there are in all."""
    rows = warehouse.execute(
        f"""
        select {REFUSAL_COLUMNS}, count(*) over ()
        from identity.blocked_links
        where left_profile_id = ? or right_profile_id = ?
        order by link_count desc, left_node_id, right_node_id
        limit {MOST_REFUSALS}
        """,
        [profile_id, profile_id],
    )
    return tuple(refusal(row) for row in rows), int(rows[0][-1]) if rows else 0


REFUSAL_COLUMNS = (
    "left_node_id, right_node_id, left_type, left_value, right_type, right_value, reason, detail, link_count,"
    " first_observed_at, left_profile_id, right_profile_id"
)


def refusal(row: tuple[object, ...]) -> Refusal:
    """A row of `REFUSAL_COLUMNS`."""
    left, right, left_type, left_value, right_type, right_value, *rest = row
    names = (str(left_type), str(left_value)), (str(right_type), str(right_value))
    return Refusal(left, right, *names, *rest[:6])  # type: ignore[arg-type] # as the query names them


def read_labels(warehouse: Warehouse, nodes: Iterable[int]) -> dict[int, Label]:
    """Type and value of nodes anywhere; an address rather than its hash."""
    wanted = sorted(set(nodes))
    if not wanted:
        return {}
    rows = warehouse.execute(
        f"select node_id, identifier_type, identifier_value from identity.identifiers"
        f" where node_id in ({', '.join('?' * len(wanted))}) order by identifier_type desc",
        wanted,
    )
    return {int(node): (str(kind), str(value)) for node, kind, value in rows}
