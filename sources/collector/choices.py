"""What a person chose, as rows of the consent log: lines of the lane `consent.choices`.

The record of a choice (`Segment Consent Preference Updated`) says yes and no. A preference that is only stamped on
another event, or `Sec-GPC: 1`, says no: it is taken at its word when it takes something back, but a yes is an act.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sources.clocks import corrected, moment_of
from sources.collector.deduplication import fingerprint
from sources.collector.events import Event, Rest, encode
from sources.collector.settings import Consent

LANE = "consent.choices"
CHANGE = "Segment Consent Preference Updated"
TEN_MINUTES = 15  # characters of an ISO time; a stamp is repeated by every event, and said again that often
SEED = 2  # marks of choices aren't those of events


@dataclass(frozen=True)
class Choice:
    """One purpose on one channel, or on all."""

    purpose: str
    channel: str
    is_granted: bool


def choices_of(preferences: Mapping[str, bool] | None, refused: set[str], policy: Consent) -> tuple[Choice, ...]:
    """A purpose that several categories stand for needs all of them; one that nobody spoke of isn't decided.

    The categories that the source itself names are spoken of by any preferences: without a yes they are a no.
    """
    said = dict.fromkeys(map(str.casefold, (*policy.collect, *policy.share)), False) if preferences is not None else {}
    said |= {name.casefold(): may for name, may in (preferences or {}).items()}
    said |= dict.fromkeys(refused, False)
    decided: dict[str, bool] = {}
    for category, purposes in policy.purposes.items():
        if (may := said.get(category.casefold())) is not None:
            decided |= {purpose: decided.get(purpose, True) and may for purpose in purposes}
    return tuple(Choice(*split(purpose), may) for purpose, may in sorted(decided.items()))


def split(purpose: str) -> tuple[str, str]:
    """`marketing.email` -> marketing, by e-mail; without a channel: by any."""
    name, _, channel = purpose.partition(".")
    return name, channel or "any"


def counted(choices: tuple[Choice, ...], event: Event) -> list[Choice]:
    """Return those that this event can say."""
    return [choice for choice in choices if event.event == CHANGE or not choice.is_granted]


def mark_of(choices: list[Choice], event: Event, received_at: str, seed: int) -> int:
    """What makes a stamp the same as one before."""
    said = (event.userId, event.anonymousId, received_at[:TEN_MINUTES], [str(choice) for choice in choices])
    return fingerprint(encode(said), seed ^ SEED)


def lines(choices: list[Choice], event: Event, rest: Rest, identity: str, said: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield a line for each; `said` is what the request adds: source, receivedAt, sentAt."""
    when = corrected(rest.originalTimestamp or rest.timestamp, said["sentAt"], said["receivedAt"])
    row = {
        "user_id": event.userId,
        "anonymous_id": event.anonymousId,
        "method": "choice" if event.event == CHANGE else "stamp",
        "source": said["source"],
        "collected_at": when if moment_of(when) else said["receivedAt"],  # a no counts whatever its clock says
    }
    for choice in choices:
        decided = {
            "id": f"{said['source']}:{identity}:{choice.purpose}.{choice.channel}",
            "purpose": choice.purpose,
            "channel": choice.channel,
            "status": "granted" if choice.is_granted else "denied",
        }
        yield encode({"receivedAt": said["receivedAt"], "row": {**row, **decided}})
