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
    """Distance from the centre is the radius; a branch keeps to its parent's side."""
    heart = centre if centre is not None else max(nodes, key=lambda node: (len(neighbours.get(node, ())), -node))
    points = np.zeros((len(nodes), 2))
    order = {node: index for index, node in enumerate(nodes)}
    for turn, (node, depth) in enumerate(_by_distance(nodes, neighbours, heart)):
        # The golden angle keeps neighbours in the order from standing on each other.
        angle = turn * math.pi * (3 - math.sqrt(5))
        radius = EDGE * (depth + 0.05 * (turn % 7))
        points[order[node]] = radius * math.cos(angle), radius * math.sin(angle)
    return points


def _by_distance(nodes: Sequence[int], neighbours: Around, heart: int) -> list[tuple[int, int]]:
    depth: dict[int, int] = {}
    for start in (heart, *nodes):
        if start in depth:
            continue
        depth[start] = 0 if not depth else max(depth.values())
        waiting = deque([start])
        while waiting:
            node = waiting.popleft()
            for other, _ in neighbours.get(node, ()):
                if other not in depth:
                    depth[other] = depth[node] + 1
                    waiting.append(other)
    return list(depth.items())


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
