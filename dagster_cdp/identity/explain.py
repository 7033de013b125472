"""Why these identifiers are one person: chains of evidence down to the record, and how it came about."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from dagster_cdp.identity.finding import Found, NotFound
from dagster_cdp.identity.graph import Tie, chains
from dagster_cdp.identity.person import Label, Person, read_labels, read_person
from reverse_etl.warehouse import Warehouse

AT_ONCE = 400  # nodes in one question for evidence


@dataclass(frozen=True, slots=True)
class Step:
    """One tie of a chain and the best record that says so; no record when a person decided it."""

    start: int
    end: int
    tie: Tie
    rule: str
    source: str
    record_id: str | None
    observed_at: datetime | None
    score: float | None

    @property
    def confidence(self) -> str:
        return self.tie.confidence


@dataclass(frozen=True, slots=True)
class Change:
    """Identifiers that came into a profile at one time for one reason."""

    cause: str
    from_profile_id: str | None
    to_profile_id: str
    at: datetime
    left: int | None
    right: int | None
    rule: str | None
    effective_at: datetime | None
    identifier_count: int


@dataclass(frozen=True, slots=True)
class Membership:
    """Which profile an identifier was in at a moment; none before it was seen."""

    at: datetime
    profile_id: str | None
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True)
class Explanation:
    """Everything `cdp who` tells about one person."""

    found: Found
    person: Person
    chains: dict[int, tuple[Step, ...]]  # from `start` to each other identifier
    start: int
    history: list[Change]
    labels: dict[int, Label]
    membership: Membership | None = None
    is_pair: bool = False  # only the chain between two was asked for


def explain(warehouse: Warehouse, found: Found, *, to: Found | None = None, at: datetime | None = None) -> Explanation:
    """Explain the person `found` belongs to: all chains from it, or only the one to `to`.

    Raises NotFound for a blocked value, which belongs to nobody.
    """
    if found.profile_id is None:
        raise NotFound(
            f"this {found.identifier_type} is a placeholder that joins nobody: see dbt_project/seeds/"
            "blocked_identifiers.csv"
        )
    person = read_person(warehouse, found.profile_id)
    start = found.node_id if found.node_id is not None else person.members[0].node_id
    best = {node: chain for node, chain in chains(person.ties, start).items() if chain}
    if to is not None:
        best = {node: chain for node, chain in best.items() if node == to.node_id}
    history = read_history(warehouse, found.profile_id)
    elsewhere = {node for change in history for node in (change.left, change.right) if node is not None}
    return Explanation(
        found,
        person,
        _stepwise(warehouse, start, best),
        start,
        history,
        read_labels(warehouse, elsewhere - person.labels.keys()) | person.labels,
        _membership(warehouse, start, at) if at else None,
        is_pair=to is not None,
    )


def _stepwise(warehouse: Warehouse, start: int, best: dict[int, tuple[Tie, ...]]) -> dict[int, tuple[Step, ...]]:
    evidence = _best_evidence(warehouse, {tie for chain in best.values() for tie in chain})
    told: dict[int, tuple[Step, ...]] = {}
    for goal, chain in best.items():
        steps: list[Step] = []
        node = start
        for tie in chain:
            steps.append(_step(node, tie, evidence.get((tie.left, tie.right))))
            node = tie.other(node)
        told[goal] = tuple(steps)
    return told


def _step(start: int, tie: Tie, evidence: tuple[object, ...] | None) -> Step:
    # A decision outweighs what records say, and stands without any; the day of the records is not its day.
    if evidence is None or tie.decision == "must_link":
        rule = tie.decision or tie.rule
        return Step(start, tie.other(start), tie, rule, "decision", None, None, None)
    return Step(start, tie.other(start), tie, *evidence)  # type: ignore[arg-type] # in the order of the query


def _best_evidence(warehouse: Warehouse, ties: Iterable[Tie]) -> dict[tuple[int, int], tuple[object, ...]]:
    """The strongest, then oldest record of each pair."""
    found: dict[tuple[int, int], tuple[object, ...]] = {}
    by_left: dict[int, list[int]] = {}
    for tie in sorted(ties, key=lambda tie: (tie.left, tie.right)):
        by_left.setdefault(tie.left, []).append(tie.right)
    lefts = list(by_left)
    for first in range(0, len(lefts), AT_ONCE):
        some = lefts[first : first + AT_ONCE]
        rights = sorted({right for left in some for right in by_left[left]})
        for left, right, *evidence, score in warehouse.execute(
            _EVIDENCE.format(lefts=", ".join("?" * len(some)), rights=", ".join("?" * len(rights))),
            [*some, *rights, *some, *rights],
        ):
            found[int(left), int(right)] = (*evidence, None if score is None else float(score))
    return found


# A record that carries both is stronger than any likeness.
_EVIDENCE = """
with evidence as (
    select left_node_id, right_node_id, rule, source, record_id, observed_at,
        cast(null as decimal(9, 6)) as score, link_id
    from identity.identifier_links
    where left_node_id in ({lefts}) and right_node_id in ({rights}) and not is_withdrawn
    union all
    select left_node_id, right_node_id, rule, 'matching', null, observed_at, score, link_id
    from identity.probable_links
    where left_node_id in ({lefts}) and right_node_id in ({rights}) and not is_withdrawn
), ranked as (
    select evidence.*, row_number() over (
        partition by left_node_id, right_node_id order by coalesce(score, 2) desc, observed_at, link_id) as place
    from evidence
)
select left_node_id, right_node_id, rule, source, record_id, observed_at, score
from ranked where place = 1
"""


def read_history(warehouse: Warehouse, profile_id: str) -> list[Change]:
    """What came into the profile, what left it, and where its identifiers were before."""
    rows = warehouse.execute(
        """
        select cause, previous_profile_id, profile_id, valid_from, evidence_left_node_id, evidence_right_node_id,
            evidence_rule, min(effective_at), count(distinct node_id)
        from identity.profile_history
        where profile_id = ? or previous_profile_id = ?
            or node_id in (select node_id from identity.profile_identifiers where profile_id = ?)
        group by cause, previous_profile_id, profile_id, valid_from, evidence_left_node_id, evidence_right_node_id,
            evidence_rule
        order by valid_from, cause, previous_profile_id, profile_id, evidence_left_node_id, evidence_right_node_id
        """,
        [profile_id] * 3,
    )
    return [Change(*row) for row in rows]


def _membership(warehouse: Warehouse, node_id: int, at: datetime) -> Membership:
    rows = warehouse.execute(
        "select profile_id, valid_from, valid_to from identity.profile_memberships"
        " where node_id = ? and valid_from <= ? and (valid_to is null or valid_to > ?)"
        " order by valid_from desc limit 1",
        [node_id, at, at],
    )
    return Membership(at, *rows[0]) if rows else Membership(at, None)
