"""From what a person asks for (link these, part those, settle this item) to decisions, and what they will do."""

from dataclasses import dataclass
from datetime import date

from dagster_cdp.identity.decisions import (
    Decision,
    DecisionRefused,
    Kind,
    add_decisions,
    read_decisions,
    withdraw_decisions,
)
from dagster_cdp.identity.finding import Found, NotFound, check_built, find
from dagster_cdp.identity.person import Label, read_labels
from dagster_cdp.identity.review import find_item
from dagster_cdp.warehouse import connect
from reverse_etl.warehouse import Warehouse
from sources.configuration import read_configuration


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person answers, and who stands for it."""

    decision: Kind
    owner: str
    reason: str
    expires_on: date | None = None


@dataclass(frozen=True)
class Decided:
    """Decisions that were written (or ended), and their effect in words."""

    added: list[Decision]
    effects: list[str]
    nodes: list[int]


def today() -> date:
    """The day of the line's clock."""
    return read_configuration().clock().date()


def active_pairs() -> set[tuple[int, int]]:
    return {decision.pair for decision in read_decisions() if decision.is_active(today())}


def decide_between(asked: list[str], verdict: Verdict) -> Decided:
    """The first identifier with each of the others."""
    with connect("deciding who is who") as warehouse:
        found = [_identifier(warehouse, one) for one in asked]
    return _written([(found[0], other) for other in found[1:]], verdict)


def decide_item(item_id: str, verdict: Verdict) -> Decided:
    """An item of the review queue."""
    with connect("deciding who is who") as warehouse:
        item = find_item(warehouse, item_id)
    ends = Found(item.left_profile_id, item.left), Found(item.right_profile_id, item.right)
    return _written([ends], verdict)


def withdraw(decision_ids: list[str]) -> Decided:
    """These decisions count no more; also of identifiers that the warehouse has forgotten."""
    ended = withdraw_decisions(decision_ids, today())
    effect = "evidence and the other decisions alone say from now on who is one"
    return Decided(ended, [effect], [node for decision in ended for node in decision.pair])


def _identifier(warehouse: Warehouse, asked: str) -> Found:
    found = find(warehouse, asked)
    if found.profile_id is None:
        raise DecisionRefused("one of them is a placeholder that stands for nobody: no decision can join it")
    if found.node_id is None:
        raise NotFound(
            "a decision is about identifiers, not profiles: name one of the profile's (`cdp who` lists them)"
        )
    return found


def _written(pairs: list[tuple[Found, Found]], verdict: Verdict) -> Decided:
    new = []
    for one, other in pairs:
        left, right = sorted((one.node_id or 0, other.node_id or 0))
        told = (verdict.reason.strip(), verdict.owner.strip(), today(), verdict.expires_on)
        new.append(Decision(verdict.decision, left, right, *told))
    added = add_decisions(new, today())
    effects = [_effect(one, other, verdict.decision) for one, other in pairs]
    return Decided(added, effects, [node for decision in new for node in decision.pair])


def _effect(one: Found, other: Found, decision: Kind) -> str:
    is_together = one.profile_id == other.profile_id
    if decision == "must_link":
        if is_together:
            return f"they are one person already ({one.profile_id}) and will stay so"
        return f"{one.profile_id} and {other.profile_id} become one, unless a limit of the rules forbids it"
    if is_together:
        return f"{one.profile_id} is parted: each other identifier goes where its strongest evidence leads"
    return f"{one.profile_id} and {other.profile_id} are two and stay two, whatever evidence comes"


def labelled_decisions() -> list[tuple[Decision, Label, Label]]:
    """All decisions with what their nodes are; unknown ones were never seen, or forgotten."""
    decisions = read_decisions()
    with connect("decisions") as warehouse:
        check_built(warehouse)
        labels = read_labels(warehouse, {node for decision in decisions for node in decision.pair})
    unknown = ("unknown", "")
    return [(one, labels.get(one.left, unknown), labels.get(one.right, unknown)) for one in decisions]
