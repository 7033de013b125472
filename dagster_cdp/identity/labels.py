"""Where labels stand in a picture so that each can be read: the best tied first, and none upon another."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from dagster_cdp.identity.picture import Picture

CROWD = 60  # nodes from which on only hubs have a label; all have a hover title
HUB = 6  # ties
LETTER, LINE = 6.8, 13.0  # pixels of a letter and a line at font size 12
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Label:
    """Text beside a node, with the corners of the room it takes."""

    node: int
    text: str
    x: float
    y: float
    anchor: str

    @property
    def room(self) -> tuple[float, float, float, float]:
        width = LETTER * len(self.text)
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return left, self.y - LINE + 3, left + width, self.y + 3


def radii(picture: Picture) -> dict[int, float]:
    """The more ties, the larger."""
    count = dict.fromkeys(picture.nodes, 0)
    for ends in picture.ends():
        for node in ends:
            count[node] += 1
    least = 4 if len(picture.nodes) > CROWD else 6
    return {node: min(least + ties, 14) for node, ties in count.items()}


def labels(picture: Picture) -> list[Label]:
    """Labels for whoever was asked for, then for the best tied that have room."""
    near: dict[int, list[Point]] = {node: [] for node in picture.nodes}
    for left, right in picture.ends():
        near[left].append(picture.at[right])
        near[right].append(picture.at[left])
    sizes = radii(picture)
    placed: list[Label] = []
    for node in sorted(picture.nodes, key=lambda node: (node != picture.asked, -len(near[node]), node)):
        if len(picture.nodes) > CROWD and len(near[node]) < HUB and node != picture.asked:
            continue
        spots = list(_spots(picture, node, near[node], sizes[node]))
        free = [spot for spot in spots if _is_free(spot, placed, picture, sizes)]
        if free or node == picture.asked:
            placed.append((free or spots)[0])
    return placed


# Direction, shift in radii and in pixels, and anchor.
_SIDES = (
    (0.0, (1, 0, 4, 4), "start"),
    (math.pi, (-1, 0, -4, 4), "end"),
    (math.pi / 2, (0, 1, 0, 14), "middle"),
    (-math.pi / 2, (0, -1, 0, -5), "middle"),
)


def _spots(picture: Picture, node: int, others: list[Point], radius: float) -> Iterator[Label]:
    """The sides of a node, the one where its lines leave most room first."""
    x, y = picture.at[node]
    taken = [math.atan2(other[1] - y, other[0] - x) for other in others]

    def room(direction: float) -> float:
        return min((abs(math.remainder(direction - angle, math.tau)) for angle in taken), default=0.0)

    for _, (across, down, right, below), anchor in sorted(_SIDES, key=lambda side: -round(room(side[0]), 6)):
        text = str(picture.nodes[node]["value"])
        yield Label(node, text, x + across * radius + right, y + down * radius + below, anchor)


def _is_free(label: Label, placed: list[Label], picture: Picture, sizes: dict[int, float]) -> bool:
    left, top, right, bottom = label.room
    for other in placed:
        x1, y1, x2, y2 = other.room
        if left < x2 and x1 < right and top < y2 and y1 < bottom:
            return False
    return not any(
        left < x + sizes[node] and x - sizes[node] < right and top < y + sizes[node] and y - sizes[node] < bottom
        for node, (x, y) in picture.at.items()
        if node != label.node
    )
