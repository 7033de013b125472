"""The evidence of one profile as a graph: the best chain between two identifiers, and what it hangs by."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

Around = dict[int, list[tuple[int, "Tie"]]]


@dataclass(frozen=True, slots=True)
class Tie:
    """Two identifiers that evidence joins, however many records say so."""

    left: int
    right: int
    tier: int  # 0 decided by a person, then the weaker end's priority, probable from 100: less is stronger
    confidence: str = "strict"
    rule: str = "same_record"
    score: float | None = None
    evidence_count: int = 1
    first_observed_at: datetime | None = None
    decision: str | None = None

    def other(self, node: int) -> int:
        return self.right if node == self.left else self.left


@dataclass(frozen=True, slots=True)
class Bridge:
    """A tie without which a profile falls apart, and how many identifiers would be on either side."""

    tie: Tie
    left_count: int
    right_count: int

    @property
    def smaller(self) -> int:
        return min(self.left_count, self.right_count)


def around(ties: Iterable[Tie]) -> Around:
    """Each node's ties, in an order that doesn't depend on how they were read."""
    found: Around = {}
    for tie in sorted(ties, key=lambda tie: (tie.left, tie.right)):
        found.setdefault(tie.left, []).append((tie.right, tie))
        found.setdefault(tie.right, []).append((tie.left, tie))
    return found


def chains(ties: Iterable[Tie], start: int) -> dict[int, tuple[Tie, ...]]:
    """The best chain from `start` to every node: its weakest tie as strong as can be, then the fewest ties.

    A node is first reached when ties as weak as its chain's weakest are let in; the search of that round is
    by breadth, so the chain is also the shortest. There are few tiers, so few rounds.
    """
    ties = list(ties)
    best: dict[int, tuple[Tie, ...]] = {start: ()}
    for tier in sorted({tie.tier for tie in ties}):
        reached = _by_breadth(around(tie for tie in ties if tie.tier <= tier), start)
        for node in reached.keys() - best.keys():
            best[node] = _traced(reached, node)
    return best


def _by_breadth(neighbours: Around, start: int) -> dict[int, Tie | None]:
    """Every node that can be reached, with the tie it was first reached by."""
    reached: dict[int, Tie | None] = {start: None}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for other, tie in neighbours.get(node, ()):
            if other not in reached:
                reached[other] = tie
                waiting.append(other)
    return reached


def _traced(reached: dict[int, Tie | None], node: int) -> tuple[Tie, ...]:
    chain: list[Tie] = []
    while (tie := reached[node]) is not None:
        chain.append(tie)
        node = tie.other(node)
    return tuple(reversed(chain))


def bridges(ties: Iterable[Tie]) -> list[Bridge]:
    """Every bridge (Tarjan 1974, without recursion), the one that parts most evenly first; linear in the ties."""
    neighbours = around(ties)
    seen: set[int] = set()
    found: list[Bridge] = []
    for root in sorted(neighbours):
        if root not in seen:
            visits = list(_by_depth(neighbours, root))
            seen.update(node for node, _ in visits)
            found.extend(_bridges_of(neighbours, visits))
    return sorted(found, key=lambda bridge: (-bridge.smaller, bridge.tie.left, bridge.tie.right))


def _by_depth(neighbours: Around, root: int) -> Iterator[tuple[int, Tie | None]]:
    """Nodes in the order of a depth-first walk, each with the tie to its parent."""
    seen = {root}
    yield root, None
    stack = [iter(neighbours[root])]
    while stack:
        step = next(((other, tie) for other, tie in stack[-1] if other not in seen), None)
        if step is None:
            stack.pop()
            continue
        seen.add(step[0])
        stack.append(iter(neighbours[step[0]]))
        yield step


def _bridges_of(neighbours: Around, visits: list[tuple[int, Tie | None]]) -> Iterator[Bridge]:
    order = {node: place for place, (node, _) in enumerate(visits)}
    lowest, below = dict(order), dict.fromkeys(order, 1)
    for node, tie in reversed(visits):
        # What the walk reaches from here without the tie it came by.
        others = (order[other] for other, own in neighbours[node] if own is not tie)
        lowest[node] = min(lowest[node], *others, lowest[node])
        if tie is None:
            continue
        parent = tie.other(node)
        lowest[parent] = min(lowest[parent], lowest[node])
        below[parent] += below[node]
        if lowest[node] > order[parent]:
            beyond, rest = below[node], len(visits) - below[node]
            yield Bridge(tie, *((beyond, rest) if tie.left == node else (rest, beyond)))
