"""Cuts the client's address in an event to what the policy keeps, before anything of it is stored."""

from typing import Any

import orjson

from sources.collector.addresses import kept
from sources.collector.events import encode


def masked(raw: bytes, address: Any, policy: str) -> bytes:
    """Return the event (or its context) with `ip` cut. The other bytes stay as they are, where that can be done."""
    if isinstance(address, str):
        written = encode(address)
        if written in raw:
            return raw.replace(written, encode(kept(address, policy) or ""))
    return rewritten(raw, address, policy)


def rewritten(raw: bytes, address: Any, policy: str) -> bytes:
    """The address is spelled with escapes, or isn't text: the event is written anew without it."""
    event = orjson.loads(raw)
    holder = event.get("context") if isinstance(event.get("context"), dict) else event
    holder["ip"] = kept(address, policy) if isinstance(address, str) else None
    return orjson.dumps(event)
