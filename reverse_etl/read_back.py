"""Ask a destination who is there: all of its members page by page, some of them by key, or only how many.

Presence proves that something arrived. Absence proves nothing: a list may lag. What a destination may have for it,
all pure, each answer read by the same names:

`read_back() -> Request`, then `held(response) -> Iterable[Mapping]`: its members' identifiers; `more(asked, response)
    -> Request | None` leads to the next page, `response.earlier` is the page before
`look_up(members) -> Request`, then `held(response)`: those of them that are there; `looked_up_at_once`: how many
`read_back() -> Request`, then `size(response) -> int | None`: how many there are, or were recognised
`known_as(identifiers) -> Mapping`: how `held` names a member, where it is not as delivered
`tells`: which of these it means; to be said only where it is not plain from the names
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from reverse_etl.answer import retry_after
from reverse_etl.deliver import BASE_SECONDS, LONGEST_SECONDS
from reverse_etl.destination import (
    Destination,
    DestinationRefused,
    NoAnswer,
    NotSent,
    Request,
    Response,
    Scalar,
    Transport,
    Unreadable,
    Verdict,
)

PAGES = 10_000

Members = Sequence[Mapping[str, Scalar]]


class Tells(StrEnum):
    """What a destination can tell of who is there."""

    MEMBERS = "members"  # everybody: who is missing, who is unexpected
    PRESENCE = "presence"  # whether those asked for are there
    SIZE = "size"  # how many are there
    MATCHED = "matched"  # how many it recognised: shown beside what was sent, never compared with it
    NOTHING = "nothing"


def tells(destination: Destination) -> Tells:
    """Read what a destination tells: what it says of itself (`tells`), else what it has the members for."""
    if said := getattr(destination, "tells", ""):
        return Tells(said)
    if hasattr(destination, "read_back"):
        return Tells.MEMBERS if hasattr(destination, "held") else Tells.SIZE
    return Tells.PRESENCE if hasattr(destination, "look_up") else Tells.NOTHING


def known_as(destination: Destination, identifiers: Mapping[str, Scalar]) -> Mapping[str, Scalar]:
    """Name a member as the destination does when it tells who is there."""
    named: Callable[[Mapping[str, Scalar]], Mapping[str, Scalar]] = getattr(destination, "known_as", dict)
    return named(identifiers)


def _at_once() -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class Reader:
    """Asks, and asks again what was not answered: a question changes nothing."""

    destination: Any
    transport: Transport
    pace: Callable[[], float] = _at_once  # seconds until the account may be asked again
    sleep: Callable[[float], None] = time.sleep
    attempts: int = 4

    def members(self) -> Iterator[Mapping[str, Scalar]]:
        """Everybody who is there."""
        asked: Request | None = self.destination.read_back()
        before: tuple[Response, ...] = ()
        for _ in range(PAGES):
            if asked is None:
                return
            response = replace(self.ask(asked), earlier=before)
            yield from self.destination.held(response)
            asked = self.destination.more(asked, response) if hasattr(self.destination, "more") else None
            before = (replace(response, earlier=()),)
        raise Unreadable("the list of members has no end")

    def present(self, members: Members) -> Iterator[Mapping[str, Scalar]]:
        """Those of the members that are there."""
        at_once = int(self.destination.looked_up_at_once)
        for start in range(0, len(members), at_once):
            yield from self.destination.held(self.ask(self.destination.look_up(members[start : start + at_once])))

    def size(self) -> int | None:
        """How many are there, or were recognised; None when the destination doesn't say yet."""
        found: int | None = self.destination.size(self.ask(self.destination.read_back()))
        return found

    def ask(self, request: Request) -> Response:
        lost = "no answer"
        for attempt in range(self.attempts):
            self.sleep(self.pace())
            try:
                response = self.transport(request)
            except (NotSent, NoAnswer):
                told, lost = None, "no answer"
            else:
                verdict = self.destination.spec.classify(response)
                if verdict is Verdict.ANSWERED:
                    return response
                told, lost = retry_after(response), f"{verdict} (http {response.status})"
                if verdict not in {Verdict.BUSY, Verdict.BROKEN}:
                    break
            if attempt + 1 < self.attempts:
                self.sleep(min(LONGEST_SECONDS, BASE_SECONDS * 2**attempt) if told is None else told)
        raise DestinationRefused(f"who is there can't be read: {lost}")
