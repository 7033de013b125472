"""Consent at the door, by Segment's meaning of `context.consent.categoryPreferences`.

An event without the object isn't judged by it (the source says what then: allow or deny); an empty object of
preferences means false for every category; a category that isn't named is false. `Sec-GPC: 1` makes the sharing
categories false.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from sources.collector.choices import Choice, choices_of
from sources.collector.settings import Consent


class _Object(Struct):
    categoryPreferences: dict[str, bool] | None = None  # noqa: N815 - Segment's spelling


_decoder = msgspec.json.Decoder(_Object)


@dataclass(frozen=True, eq=False)
class Verdict:
    """Whether the event may be kept, the line's `consent`, and what of it belongs in the consent log."""

    collect: bool
    line: bytes
    choices: tuple[Choice, ...] = ()


class Judge:
    """The verdicts of one source; remembers them, because most events repeat the same preferences."""

    def __init__(self, policy: Consent) -> None:
        self._policy = policy
        self._known: dict[tuple[bytes, bool], Verdict] = {}

    def verdict(self, consent: bytes, gpc: bool) -> Verdict:
        """`consent` is the raw object, empty if the event has none."""
        key = (consent, gpc)
        found = self._known.get(key)
        if found is None:
            if len(self._known) > 1000:  # noqa: PLR2004 - enough for every banner; a flood of inventions is forgotten
                self._known.clear()
            found = self._known[key] = judge(preferences_of(consent), gpc, self._policy)
        return found


def preferences_of(consent: bytes) -> dict[str, bool] | None:
    """Return the preferences, None if nothing is said; what can't be read counts as no to everything."""
    if not consent or consent == b"null":
        return None
    try:
        said = _decoder.decode(consent).categoryPreferences
    except (msgspec.DecodeError, RecursionError):
        return {}
    return said


def judge(preferences: Mapping[str, bool] | None, gpc: bool, policy: Consent) -> Verdict:
    """Collect only if every category that collecting needs is allowed."""
    allowed = {name.casefold(): value for name, value in (preferences or {}).items()}
    refused = {name.casefold() for name in policy.share} if gpc else set()

    def may(category: str) -> bool:
        name = category.casefold()
        said = allowed.get(name, False) if preferences is not None else policy.absent == "allow"
        return said and name not in refused

    verdict = {
        "given": preferences is not None,
        "gpc": gpc,
        "share": all(may(name) for name in policy.share),
        "denied": sorted({*(name for name, said in (preferences or {}).items() if not said), *refused}),
    }
    choices = choices_of(preferences, refused, policy)
    return Verdict(all(may(name) for name in policy.collect), msgspec.json.encode(verdict), choices)


def reached(
    destinations: Iterable[str],
    categories: Mapping[str, Iterable[str]],
    consent: Mapping[str, Mapping[str, bool]] | None,
    integrations: Mapping[str, object] | None = None,
) -> set[str]:
    """Which destinations an event may go to: consent first, then its `integrations`, as Segment reconciles them.

    `categories` maps a category to its destinations. One that is mapped to several needs all of them; one that isn't
    mapped is not consent's business. An object without preferences beside named integrations means no.
    """
    wanted = integrations or {}
    nothing_said: Mapping[str, bool] | None = {} if consent is not None and wanted else None
    preferences = nothing_said if consent is None else consent.get("categoryPreferences", nothing_said)
    found = set()
    for destination in destinations:
        needed = [category for category, its in categories.items() if destination in its]
        consented = preferences is None or all(preferences.get(category, False) for category in needed)
        if consented and wanted.get(destination, True) is not False:
            found.add(destination)
    return found
