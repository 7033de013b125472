"""What must hold of an event before it is stored as one; the first thing that doesn't is its code."""

import re

from sources.collector.events import TYPES, Event
from sources.collector.settings import Limits

ID_LENGTH = 100
# An escaped backslash, or a whole pair, stays; what is left of \\ud800 to \\udfff has lost its other half.
_LONE = re.compile(r"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
REPLACEMENT = re.compile(rb"\\ufffd|\xef\xbf\xbd")
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def fault_of(event: Event, kind: str | None) -> str | None:
    """Return the code, or None for a sound event; `kind` is its type, or that of the path."""
    if kind not in TYPES:
        return "unknown_type"
    if kind == "track" and not event.event:
        return "missing_event_name"
    if not (event.userId or event.anonymousId or event.userId == 0 or event.anonymousId == 0):
        return "no_user_anon_id"
    if kind == "alias" and not event.previousId:
        return "missing_previous_id"
    if kind == "group" and not event.groupId:
        return "missing_group_id"
    if isinstance(event.messageId, str) and len(event.messageId) > ID_LENGTH:
        return "message_id_too_long"
    return None


def size_fault(raw: bytes, beside: int, limits: Limits) -> str | None:
    """`beside` is what the batch adds to each event: it is stored with every one of them."""
    if len(raw) + beside > limits.event:
        return "event_too_large"
    if raw.count(b"{") + raw.count(b"[") > limits.depth and depth(raw) > limits.depth:
        return "too_deep"
    return None


def depth(raw: bytes) -> int:
    """How deep JSON text nests; brackets in strings don't count."""
    deepest = level = 0
    for mark in re.findall(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', raw):
        if mark in (b"[", b"{"):
            level += 1
            deepest = max(deepest, level)
        elif mark in (b"]", b"}"):
            level -= 1
    return deepest


def has_nul(raw: bytes) -> bool:
    """PostgreSQL can't store it."""
    return b"\\u0000" in raw and NUL.search(raw) is not None


def repaired(body: bytes) -> bytes:
    """Put U+FFFD where half a pair of surrogates, a byte that isn't UTF-8 or a byte order mark stands."""
    text = body.decode("utf-8-sig", "replace")
    return _LONE.sub(lambda found: found.group(1) or "\\ufffd", text).encode()
