"""From a row's values to the identifiers that leave: normalised, validated, hashed; and what was left out, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reverse_etl.destination import Scalar
from reverse_etl.normalise.hashing import HASH_OF_NOTHING, hash_in, sha256_hex
from reverse_etl.normalise.options import Options
from reverse_etl.normalise.platform import Context, Platform, Rule
from reverse_etl.normalise.platforms import platform_of, rule_of
from reverse_etl.normalise.reason import Reason, Unusable
from reverse_etl.normalise.rules.places import COUNTRIES
from reverse_etl.normalise.rules.text import text_of

DEFAULTS = Options()


@dataclass(frozen=True, slots=True)
class Identified:
    """Who a row is to a platform. No identifiers: the row finds nobody there and must not be sent.

    The repr shows no identifier, so that it may end up in a log.
    """

    identifiers: dict[str, str] = field(repr=False)
    dropped: dict[str, Reason]


def identify(platform: str, fields: Mapping[str, Scalar], options: Options = DEFAULTS) -> Identified:
    """Make what leaves of a row; a blank field is no identifier and no news."""
    table = platform_of(platform)
    context = _context(options, fields.get("country"))
    kept: dict[str, str] = {}
    dropped: dict[str, Reason] = {}
    for name, value in fields.items():
        try:
            if text := text_of(value):
                kept.update(_outgoing(table, name, text, options, context))
        except Unusable as unusable:
            dropped[name] = unusable.reason
    for group in table.together:
        if not group <= kept.keys():
            _drop(group, Reason.INCOMPLETE, kept, dropped)
    if not any(way <= kept.keys() for way in table.enough):
        _drop(list(kept), Reason.NOT_ENOUGH, kept, dropped)
    return Identified(kept, dropped)


def normalise(platform: str, name: str, value: Scalar, options: Options = DEFAULTS, *, country: Scalar = None) -> str:
    """Write one field as the platform wants it, before hashing; what is a hash stays one. Raises `Unusable`.

    `country` is the row's: states and postal codes differ by it.
    """
    rule = rule_of(platform, name)
    if not (text := text_of(value)):
        raise Unusable(Reason.EMPTY)
    return _given_hash(rule, name, text, options) or rule.normalise(text, _context(options, country))


def _outgoing(table: Platform, name: str, text: str, options: Options, context: Context) -> dict[str, str]:
    if name in table.parts:
        if hash_in(text):
            raise Unusable(Reason.ALREADY_HASHED)  # a hash of the whole has no parts
        return {part: sha256_hex(table.rules[part].normalise(text, context)) for part in table.parts[name]}
    if name not in table.rules:
        raise Unusable(Reason.NOT_TAKEN)
    rule = table.rules[name]
    if given := _given_hash(rule, name, text, options):
        return {name: given}
    normal = rule.normalise(text, context)
    return {name: sha256_hex(normal) if rule.is_hashed else normal}


def _given_hash(rule: Rule, name: str, text: str, options: Options) -> str:
    """Give the hash a value already is, empty when it is plain; raise when the mapping says otherwise."""
    told = options.hashed.get(name, "auto")
    found = hash_in(text)
    if not rule.is_hashed:
        if (found or told == "yes") and name != "external_id":  # your own ids may look as they like
            raise Unusable(Reason.HASH_NOT_TAKEN)
        return ""
    if told == "yes" and not found:
        raise Unusable(Reason.NOT_A_HASH)
    if told == "no" and found:
        raise Unusable(Reason.ALREADY_HASHED)
    if found == HASH_OF_NOTHING:
        raise Unusable(Reason.HASH_OF_NOTHING)
    return found


def _context(options: Options, country: Scalar) -> Context:
    """A row's own country goes before the default, unless it can't be read."""
    written = str(country or "").strip().upper()
    return Context(
        default_country=options.default_country,
        address_country=written if written in COUNTRIES else options.default_country,
        gmail_strip_plus=options.gmail_strip_plus,
        tiktok_phone_plus=options.tiktok_phone_plus,
    )


def _drop(names: Iterable[str], reason: Reason, kept: dict[str, str], dropped: dict[str, Reason]) -> None:
    for name in names:
        if kept.pop(name, None) is not None:
            dropped[name] = reason
