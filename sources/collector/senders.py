"""The sources of events as the hot path needs them, found by their write key."""

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import parse_qs

from sources.collector import consent
from sources.collector.deduplication import seed_of
from sources.collector.events import UNREADABLE, decode_key, encode
from sources.collector.plan import Plan, read_plan
from sources.collector.pressure import Bucket
from sources.collector.quarantine import Origin
from sources.collector.refusal import Refusal
from sources.collector.settings import Sender, Settings

_KEY = re.compile(rb'"writeKey"\s*:\s*"([^"\\]{1,200})"')
REMEMBERED = 1024  # spellings of the Authorization header


@dataclass(frozen=True)
class Source:
    """A sender with what is worked out once for all of its events."""

    sender: Sender
    key_line: bytes
    seed: int
    consent: consent.Judge
    origin: Origin
    plan: Plan | None = None
    bucket: Bucket | None = None
    sites: frozenset[bytes] = frozenset()


def source_of(sender: Sender) -> Source:
    rate = sender.events_per_second
    plan = read_plan(sender.plan) if sender.plan else None
    return Source(
        sender=sender,
        key_line=b'"source":%b,"writeKey":%b' % (encode(sender.name), encode(sender.write_key)),
        seed=seed_of(sender.name),
        consent=consent.Judge(sender.consent),
        origin=Origin(sender.name, sender.write_key, plan.version if plan else None, sender.ip == "keep"),
        plan=plan,
        bucket=Bucket(rate) if rate else None,
        sites=frozenset(site.encode() for site in sender.origins),
    )


class Senders:
    """Who may send events. Segment's order: Basic, then the body's `writeKey`, then the query's, then Bearer."""

    def __init__(self, settings: Settings) -> None:
        self._all = {sender.write_key: source_of(sender) for sender in settings.sources.values()}
        self._by_header: dict[bytes, Source] = {}

    @property
    def sites(self) -> frozenset[bytes]:
        """Every site whose pages may send; empty: any."""
        sources = self._all.values()
        return (
            frozenset().union(*(source.sites for source in sources)) if all(s.sites for s in sources) else frozenset()
        )

    def find(self, authorization: bytes | None, body: bytes, query: bytes) -> Source:
        """Raises Refusal 401 for an unknown key, and 404 for a source that is switched off."""
        if authorization is not None and (known := self._by_header.get(authorization)):
            return known
        scheme, _, value = (authorization or b"").partition(b" ")
        if scheme.lower() != b"basic" or authorization is None:
            return self.known(key_in_body(body) or key_in_query(query) or value.decode("latin-1").strip())
        source = self.known(basic(value))
        if len(self._by_header) < REMEMBERED:
            self._by_header[authorization] = source
        return source

    def known(self, key: str) -> Source:
        source = self._all.get(key)
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
    """Return the key of a body, also of one that is no JSON: then it is kept in quarantine under its sender."""
    if b"writeKey" not in body:
        return None
    try:
        return decode_key(body).writeKey
    except UNREADABLE:
        found = _KEY.search(body)
        return found.group(1).decode("latin-1") if found else None


def key_in_query(query: bytes) -> str | None:
    return parse_qs(query.decode("latin-1")).get("writeKey", [None])[0] if query else None
