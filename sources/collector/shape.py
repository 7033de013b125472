"""What must hold of an event before it is stored as one; the first thing that doesn't is its code."""

import re

import msgspec

from sources.collector.events import TYPES, Event, Rest, decode_rest

ID_LENGTH = 100
LINKS = {"alias", "group"}
# An escaped backslash, or a whole pair, stays; what is left of \\ud800 to \\udfff has lost its other half.
_LONE = re.compile(r"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
REPLACEMENT = re.compile(rb"\\ufffd|\xef\xbf\xbd")
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def fault_of(event: Event, raw: bytes, kind: str | None) -> str | None:
    """Return the code, or None for a sound event; `kind` is its type, or that of the path."""
    if kind not in TYPES:
        return "unknown_type"
    if kind == "track" and not event.event:
        return "missing_event_name"
    if not (event.userId or event.anonymousId or event.userId == 0 or event.anonymousId == 0):
        return "no_user_anon_id"
    if type(event.messageId) is str and len(event.messageId) > ID_LENGTH:
        return "message_id_too_long"
    return fault_of_link(raw, kind) if kind in LINKS else None


def fault_of_link(raw: bytes, kind: str) -> str | None:
    """Two types say what belongs together, and are nothing without the other end."""
    try:
        rest = decode_rest(raw)
    except msgspec.ValidationError:
        return "wrong_type_of_field"
    if kind == "alias" and not rest.previousId:
        return "missing_previous_id"
    return "missing_group_id" if kind == "group" and not rest.groupId else None


def may_hold_nul(body: bytes) -> bool:
    """Look for one byte first: that is many times faster, and most bodies hold no backslash."""
    return b"\\" in body and b"\\u0000" in body


def has_nul(raw: bytes) -> bool:
    """PostgreSQL can't store it."""
    return b"\\u0000" in raw and NUL.search(raw) is not None


def repaired(body: bytes) -> bytes:
    """Put U+FFFD where half a pair of surrogates, a byte that isn't UTF-8 or a byte order mark stands."""
    text = body.decode("utf-8-sig", "replace")
    return _LONE.sub(lambda found: found.group(1) or "\\ufffd", text).encode()


def has_time(raw: bytes) -> bool:
    """Whether the event says when it was."""
    rest = rest_of(raw)
    return bool(rest.timestamp or rest.originalTimestamp)


def rest_of(raw: bytes) -> Rest:
    """Return what is seldom asked for; nothing, if a field of it can't be read."""
    try:
        return decode_rest(raw)
    except msgspec.ValidationError:
        return Rest()
