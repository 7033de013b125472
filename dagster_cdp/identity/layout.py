"""Where the nodes of one profile stand in a picture: rings around the busiest node, then springs; no chance in it."""

import math
from collections import deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dagster_cdp.identity.graph import Around

Points = npt.NDArray[np.float64]

ROUNDS = 300
EDGE = 1.0  # the length a tie would like to have


def place(nodes: Sequence[int], neighbours: Around, centre: int | None = None) -> dict[int, tuple[float, float]]:
    """Coordinates in lengths of a tie, the same for the same graph; 300 nodes take about 0.3 s."""
    if not nodes:
        return {}
    order = {node: index for index, node in enumerate(nodes)}
    points = _rings(nodes, neighbours, centre)
    pairs = np.array(
        [(order[node], order[other]) for node in nodes for other, _ in neighbours.get(node, ()) if node < other]
    ).reshape(-1, 2)
    points = _settle(points, pairs)
    points -= points.mean(axis=0)
    return {node: (float(x), float(y)) for node, (x, y) in zip(nodes, _laid_flat(points), strict=True)}


def _rings(nodes: Sequence[int], neighbours: Around, centre: int | None) -> Points:
    """Distance from the centre is the radius, and each branch has a wedge as wide as it has nodes."""
    heart = centre if centre is not None else max(nodes, key=lambda node: (len(neighbours.get(node, ())), -node))
    parents = _by_distance(nodes, neighbours, heart)
    weight = dict.fromkeys(parents, 1)
    for node, parent in reversed(parents.items()):
        if parent is not None:
            weight[parent] += weight[node]
    total = sum(weight[node] for node, parent in parents.items() if parent is None)
    start: dict[int | None, float] = {None: 0.0}  # where the next child's wedge begins, in nodes of `total`
    depth: dict[int | None, int] = {None: -1}
    points = np.zeros((len(nodes), 2))
    order = {node: index for index, node in enumerate(nodes)}
    for node, parent in parents.items():
        begin = start[parent]
        start[parent] = begin + weight[node]
        start[node], depth[node] = begin, depth[parent] + 1
        angle = math.tau * (begin + weight[node] / 2) / total
        points[order[node]] = depth[node] * math.cos(angle), depth[node] * math.sin(angle)
    # A long chain starts within the circle that it will be folded into.
    return points * (EDGE * min(1.0, math.sqrt(len(nodes)) / max(1, *depth.values())))


def _by_distance(nodes: Sequence[int], neighbours: Around, heart: int) -> dict[int, int | None]:
    """The node each one is first reached from, nearest first; what nothing ties to the rest has none."""
    parents: dict[int, int | None] = {}
    for start in (heart, *nodes):
        if start in parents:
            continue
        parents[start] = None
        waiting = deque([start])
        while waiting:
            node = waiting.popleft()
            for other, _ in neighbours.get(node, ()):
                if other not in parents:
                    parents[other] = node
                    waiting.append(other)
    return parents


def _settle(points: Points, pairs: npt.NDArray[np.int64]) -> Points:
    """Everything repels everything, ties pull (Fruchterman and Reingold 1991), ever more gently."""
    count = len(points)
    if count == 1:
        return points
    reach = EDGE * math.sqrt(count) / 3
    for round_ in range(ROUNDS):
        apart = points[:, None, :] - points[None, :, :]
        distance = np.maximum(np.hypot(apart[..., 0], apart[..., 1]), 0.05)
        force = (apart * (EDGE**2 / distance**2)[..., None]).sum(axis=1)
        if len(pairs):
            along = points[pairs[:, 0]] - points[pairs[:, 1]]
            pull = along * (np.hypot(along[:, 0], along[:, 1]) / EDGE)[:, None]
            np.subtract.at(force, pairs[:, 0], pull)
            np.add.at(force, pairs[:, 1], pull)
        force -= 0.08 * points  # what nothing ties must not drift away
        length = np.maximum(np.hypot(force[:, 0], force[:, 1]), 1e-9)
        step = np.minimum(length, reach * (1 - round_ / ROUNDS) * 0.2)
        points = points + force * (step / length)[:, None]
    return points


def _laid_flat(points: Points) -> Points:
    """Turned so that the longest extent lies along the page."""
    if len(points) < 3:  # noqa: PLR2004 - two points are a line
        return points
    _, _, axes = np.linalg.svd(points, full_matrices=False)
    axes = axes * np.where(axes[:, :1] < 0, -1, 1)  # which of two opposite directions is not defined
    turned: Points = points @ axes.T
    return turned
