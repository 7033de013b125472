"""What a picture of one person shows, and where: identifiers, ties, what was refused, and where labels are legible."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from dagster_cdp.identity.document import Document, Redaction
from dagster_cdp.identity.explain import Explanation
from dagster_cdp.identity.graph import Tie, around
from dagster_cdp.identity.layout import place
from dagster_cdp.identity.person import Person
from dagster_cdp.identity.words import reason_in_words

MOST_NODES = 400
MOST_LABELS = 60  # above, only hubs have one; all have a hover title
MOST_REFUSED = 20
HUB = 6  # ties from which on a node has a label also in a crowd
WIDTH = 1400  # pixels
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
    """A small profile at 100 pixels a tie, a large one as wide as a screen."""
    left, top = min(x for x, _ in at.values()), min(y for _, y in at.values())
    scale = min(100.0, max(32.0, WIDTH / max(1.0, max(x for x, _ in at.values()) - left)))
    return {node: ((x - left) * scale + MARGIN, (y - top) * scale + MARGIN / 2) for node, (x, y) in at.items()}


# Where a label may stand: direction, shift from the node in radii and pixels, and its anchor.
SPOTS = (
    (0.0, (1, 0, 4, 4), "start"),
    (math.pi, (-1, 0, -4, 4), "end"),
    (math.pi / 2, (0, 1, 0, 15), "middle"),
    (-math.pi / 2, (0, -1, 0, -6), "middle"),
)


def label_spot(
    here: tuple[float, float], others: Iterable[tuple[float, float]], radius: float
) -> tuple[float, float, str]:
    """The side of a node where its lines leave most room."""
    taken = [math.atan2(y - here[1], x - here[0]) for x, y in others]

    def room(direction: float) -> float:
        return min((abs(math.remainder(direction - angle, math.tau)) for angle in taken), default=0.0)

    _, (across, down, x, y), anchor = max(SPOTS, key=lambda spot: round(room(spot[0]), 6))
    return here[0] + across * radius + x, here[1] + down * radius + y, anchor
