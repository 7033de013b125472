"""The sources of events as the hot path needs them, found by their write key."""

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from sources.collector import consent
from sources.collector.deduplication import seed_of
from sources.collector.events import UNREADABLE, decode_key, encode
from sources.collector.plan import Plan, read_plan
from sources.collector.pressure import Bucket
from sources.collector.refusal import Refusal
from sources.collector.settings import Sender, Settings

REMEMBERED = 1024  # spellings of the Authorization header


@dataclass(frozen=True)
class Source:
    """A sender with what is worked out once for all of its events."""

    sender: Sender
    key_line: bytes
    seed: int
    consent: consent.Judge
    plan: Plan | None
    bucket: Bucket | None


def source_of(sender: Sender) -> Source:
    rate = sender.events_per_second
    return Source(
        sender=sender,
        key_line=b'"source":%b,"writeKey":%b' % (encode(sender.name), encode(sender.write_key)),
        seed=seed_of(sender.name),
        consent=consent.Judge(sender.consent),
        plan=read_plan(sender.plan) if sender.plan else None,
        bucket=Bucket(rate) if rate else None,
    )


class Senders:
    """Who may send events. Segment's order: Basic, then the body's `writeKey`, then the query's, then Bearer."""

    def __init__(self, settings: Settings) -> None:
        self.all = {sender.write_key: source_of(sender) for sender in settings.sources.values()}
        self._by_header: dict[bytes, Source] = {}

    def find(self, authorization: bytes | None, body: bytes, query: bytes) -> Source:
        """Raises Refusal 401 for an unknown key, and 404 for a source that is switched off."""
        if authorization is not None and (known := self._by_header.get(authorization)):
            return known
        scheme, _, value = (authorization or b"").partition(b" ")
        if scheme.lower() == b"basic":
            source = self._known(basic(value))
        else:
            source = self._known(key_in_body(body) or key_in_query(query) or value.decode("latin-1").strip())
        if authorization is not None and scheme.lower() == b"basic" and len(self._by_header) < REMEMBERED:
            self._by_header[authorization] = source
        return source

    def _known(self, key: str) -> Source:
        source = self.all.get(key)
        if source is None:
            raise Refusal(401, "unknown_write_key")
        if not source.sender.enabled:
            raise Refusal(404, "source_disabled")
        return source


def basic(value: bytes) -> str:
    """Return the user's part; some kits forget the colon."""
    try:
        return base64.b64decode(value.strip()).decode().partition(":")[0].strip()
    except (binascii.Error, ValueError):
        return ""


def key_in_body(body: bytes) -> str | None:
    if b"writeKey" not in body:
        return None
    try:
        return decode_key(body).writeKey
    except UNREADABLE:
        return None


def key_in_query(query: bytes) -> str | None:
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        if name == b"writeKey":
            return unquote_to_bytes(value).decode("utf-8", "replace")
    return None
