"""The shape of a platform's table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule may know besides the value."""

    default_country: str = ""  # alpha-2, upper case
    address_country: str = ""  # the row's own, else the default
    gmail_strip_plus: bool = True
    tiktok_phone_plus: bool = True


Normaliser = Callable[[str, Context], str]  # raises Unusable


@dataclass(frozen=True, slots=True)
class Rule:
    normalise: Normaliser
    is_hashed: bool = False


def hashed(normalise: Normaliser) -> Rule:
    return Rule(normalise, is_hashed=True)


@dataclass(frozen=True, slots=True)
class Platform:
    """Which fields a platform takes, and which of them find a person.

    enough: sets of fields; one of them must be complete, or nobody is found.
    together: fields that are sent all or not at all.
    parts: fields that are sent as several.
    """

    rules: Mapping[str, Rule]
    enough: tuple[frozenset[str], ...]
    together: tuple[frozenset[str], ...] = ()
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def any_of(*ways: str) -> tuple[frozenset[str], ...]:
    """`any_of("email", "first_name last_name")`: the e-mail, or both names."""
    return tuple(frozenset(way.split()) for way in ways)
