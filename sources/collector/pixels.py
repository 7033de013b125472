"""Events from the address of an image: for e-mails and pages without scripts."""

import base64
import binascii
from urllib.parse import parse_qs

import orjson

from sources.collector.answers import Answer
from sources.collector.refusal import Refusal

IMAGE = Answer(
    200,
    base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"),
    b"image/gif",
    [(b"cache-control", b"no-store")],
)
FIELDS = ("event", "name", "userId", "anonymousId", "messageId", "timestamp")


def event_of(query: bytes, user_agent: bytes) -> bytes:
    """Return the event as a body: `data` is one in base64; else each parameter is a field, or a property."""
    given = {name: values[0] for name, values in parse_qs(query.decode("latin-1"), keep_blank_values=True).items()}
    if data := given.get("data"):
        return decoded(data)
    fields = {name: given[name] for name in FIELDS if given.get(name)}
    others = {name: value for name, value in given.items() if name not in (*FIELDS, "writeKey", "data")}
    context = {"userAgent": user_agent.decode("latin-1"), "library": {"name": "pixel"}}
    return orjson.dumps({**fields, "properties": others, "context": context}, default=str)


def decoded(data: str) -> bytes:
    """Base64 of either alphabet, its padding often lost on the way."""
    text = data.replace("-", "+").replace("_", "/").replace(" ", "+").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(400, "malformed_base64") from None
