"""An explanation as plain data: the only form in which it leaves, with values masked unless asked for in clear."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dagster_cdp.identity.apart import Apart
from dagster_cdp.identity.explain import Change, Explanation, Step
from dagster_cdp.identity.graph import Bridge
from dagster_cdp.identity.masking import masked, shown
from dagster_cdp.identity.person import CONFIDENCES, Label, Member, Refusal
from dagster_cdp.identity.words import apart_in_words, reason_in_words

Document = dict[str, Any]
TELLING = 4  # letters from which on a value inside a record's name tells something


@dataclass(frozen=True)
class Redaction:
    """How identifiers are written: one rule for text, JSON, Markdown and pictures."""

    labels: Mapping[int, Label]
    in_clear: bool = False

    def node(self, node_id: int | None) -> Document | None:
        if node_id is None:
            return None
        return self.label(node_id, self.labels.get(node_id, ("unknown", "")))

    def label(self, node_id: int, label: Label) -> Document:
        return {"node_id": node_id, "type": label[0], "value": shown(*label, in_clear=self.in_clear)}

    def record(self, record_id: str | None) -> str | None:
        """A record's name often is or holds an identifier (`ch_<order>_1`), and then is as personal as that."""
        if record_id is None or self.in_clear:
            return record_id
        if record_id not in self._records:
            is_personal = any(value in record_id.lower() for value in self._values)
            self._records[record_id] = masked("record", record_id) if is_personal else record_id
        return self._records[record_id]

    @cached_property
    def _values(self) -> list[str]:
        return [value.lower() for _, value in self.labels.values() if len(value) >= TELLING]

    @cached_property
    def _records(self) -> dict[str, str]:
        return {}


def explained(explanation: Explanation, *, in_clear: bool = False) -> Document:
    """Everything about one person; moments are datetimes, for the writer to put into text."""
    person, found = explanation.person, explanation.found
    redaction = Redaction(explanation.labels, in_clear)
    membership = explanation.membership
    return {
        "profile_id": person.profile_id,
        "former_profile_id": found.former_profile_id,
        "asked": redaction.node(explanation.start),
        "is_pair": explanation.is_pair,
        "confidence": person.confidence,
        "node_count": len(person.labels),
        "identifiers": [_member(member, redaction) for member in sorted(person.members, key=_is_order)],
        "chains": [_chain(chain, redaction) for chain in _shortest_first(explanation)],
        "bridges": [_bridge(bridge, redaction) for bridge in person.bridges],
        "refused_count": person.refusal_count,
        "refused": [refused(refusal, redaction) for refusal in person.refusals],
        "history": [_change(change, redaction) for change in explanation.history],
        "at": membership
        and {
            "moment": membership.at,
            "profile_id": membership.profile_id,
            "valid_from": membership.valid_from,
            "valid_to": membership.valid_to,
        },
    }


def parted(apart: Apart, *, in_clear: bool = False) -> Document:
    """Why two identifiers are not one person."""
    redaction = Redaction({}, in_clear)
    return {
        "left_profile_id": apart.one.profile_id,
        "right_profile_id": apart.other.profile_id,
        "how": apart.how,
        "because": apart_in_words(apart.how),
        "refused": [refused(refusal, redaction) for refusal in apart.refusals],
    }


def refused(refusal: Refusal, redaction: Redaction) -> Document:
    return {
        "left": redaction.label(refusal.left, refusal.left_label),
        "right": redaction.label(refusal.right, refusal.right_label),
        "left_profile_id": refusal.left_profile_id,
        "right_profile_id": refusal.right_profile_id,
        "reason": refusal.reason,
        "because": reason_in_words(refusal.reason, refusal.detail),
        "evidence_count": refusal.evidence_count,
        "first_observed_at": refusal.first_observed_at,
    }


def _shortest_first(explanation: Explanation) -> list[tuple[Step, ...]]:
    orders = {member.node_id for member in explanation.person.members if _is_order(member)}
    found = sorted(explanation.chains.items(), key=lambda item: (item[0] in orders, len(item[1]), item[0]))
    return [chain for _, chain in found]


def _is_order(member: Member) -> bool:
    """Orders come last: a good customer has many, and they say least about who it is."""
    return member.identifier_type == "order_id"


def _member(member: Member, redaction: Redaction) -> Document:
    return {
        **redaction.label(member.node_id, (member.identifier_type, member.value)),
        "confidence": member.confidence,
        "is_shared": member.is_shared,
        "since": member.since,
        "first_seen_at": member.first_seen_at,
        "last_seen_at": member.last_seen_at,
    }


def _chain(chain: tuple[Step, ...], redaction: Redaction) -> Document:
    weakest = max(chain, key=lambda step: step.tie.tier)
    return {
        "from": redaction.node(chain[0].start),
        "to": redaction.node(chain[-1].end),
        "weakest_tier": weakest.tie.tier,
        "confidence": max((step.confidence for step in chain), key=CONFIDENCES.index),
        "steps": [_step(step, redaction) for step in chain],
    }


def _step(step: Step, redaction: Redaction) -> Document:
    return {
        "from": redaction.node(step.start),
        "to": redaction.node(step.end),
        "rule": step.rule,
        "source": step.source,
        "record_id": redaction.record(step.record_id),
        "observed_at": step.observed_at,
        "confidence": step.confidence,
        "score": step.score,
        "tier": step.tie.tier,
        "evidence_count": step.tie.evidence_count,
    }


def _bridge(bridge: Bridge, redaction: Redaction) -> Document:
    return {
        "left": redaction.node(bridge.tie.left),
        "right": redaction.node(bridge.tie.right),
        "left_count": bridge.left_count,
        "right_count": bridge.right_count,
        "evidence_count": bridge.tie.evidence_count,
        "confidence": bridge.tie.confidence,
    }


def _change(change: Change, redaction: Redaction) -> Document:
    return {
        "cause": change.cause,
        "at": change.at,
        "from_profile_id": change.from_profile_id,
        "to_profile_id": change.to_profile_id,
        "identifier_count": change.identifier_count,
        "left": redaction.node(change.left),
        "right": redaction.node(change.right),
        "rule": change.rule,
        "effective_at": change.effective_at,
    }
