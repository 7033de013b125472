"""What a picture of one person shows, and where: identifiers, ties, and what was refused."""

import math
from dataclasses import dataclass

from dagster_cdp.identity.document import Document, Redaction
from dagster_cdp.identity.explain import Explanation
from dagster_cdp.identity.graph import Tie, around
from dagster_cdp.identity.layout import place
from dagster_cdp.identity.person import Person
from dagster_cdp.identity.words import reason_in_words

MOST_NODES = 400
MOST_REFUSED = 20
WIDTH = 1400  # pixels
APART = 60  # pixels between neighbours that stand close
MARGIN = 130  # pixels: room for a label at either side


@dataclass(frozen=True)
class Picture:
    """Nodes with what may be said of them, in pixels."""

    nodes: dict[int, Document]
    outside: set[int]  # the far ends of refused links
    ties: list[Tie]
    refused: list[tuple[int, int, str]]
    at: dict[int, tuple[float, float]]
    bridges: dict[tuple[int, int], str]  # those that part more than a single identifier
    asked: int
    left_out: int

    @property
    def width(self) -> float:
        return max(max(x for x, _ in self.at.values()) + MARGIN, 420)

    @property
    def height(self) -> float:
        return max(y for _, y in self.at.values()) + MARGIN / 2

    def ends(self) -> list[tuple[int, int]]:
        return [(tie.left, tie.right) for tie in self.ties] + [(left, right) for left, right, _ in self.refused]


def picture_of(explanation: Explanation, redaction: Redaction) -> Picture:
    """The best tied identifiers first, should there be more than can be read."""
    person = explanation.person
    kept = _kept(person, explanation.start)
    nodes = {node: redaction.node(node) or {} for node in sorted(kept)}
    outside: set[int] = set()
    refused = []
    for item in person.refusals[:MOST_REFUSED]:
        ends = {item.left: item.left_label, item.right: item.right_label}
        if ends.keys() & kept:
            outside |= ends.keys() - kept
            nodes |= {node: redaction.label(node, ends[node]) for node in ends.keys() - kept}
            refused.append((item.left, item.right, reason_in_words(item.reason, item.detail)))
    ties = [tie for tie in person.ties if tie.left in kept and tie.right in kept]
    at = place(sorted(nodes), around([*ties, *(Tie(left, right, 0) for left, right, _ in refused)]))
    left_out = len(person.labels) - len(kept)
    return Picture(nodes, outside, ties, refused, _scaled(at), _parting(person), explanation.start, left_out)


def _kept(person: Person, start: int) -> set[int]:
    neighbours = around(person.ties)
    others = sorted(person.labels.keys() - {start}, key=lambda node: (-len(neighbours.get(node, ())), node))
    return {start, *others[: MOST_NODES - 1]}


def _parting(person: Person) -> dict[tuple[int, int], str]:
    return {
        (bridge.tie.left, bridge.tie.right): f"without it {bridge.left_count} | {bridge.right_count} identifiers"
        for bridge in person.bridges
        if bridge.smaller > 1
    }


def _scaled(at: dict[int, tuple[float, float]]) -> dict[int, tuple[float, float]]:
    """About 100 pixels a tie, more where it is dense, and never wider than a screen unless nothing could be told."""
    left, top = min(x for x, _ in at.values()), min(y for _, y in at.values())
    extent = max(1.0, max(x for x, _ in at.values()) - left)
    nearest = sorted(min((math.dist(at[node], at[o]) for o in at if o != node), default=1.0) for node in at)
    wished = max(100.0, APART / max(0.1, nearest[len(nearest) // 4]))
    scale = max(20.0, min(wished, WIDTH / extent))
    return {node: ((x - left) * scale + MARGIN, (y - top) * scale + MARGIN / 2) for node, (x, y) in at.items()}
