"""The events of one request, each judged alone: kept, kept in quarantine, known already, or forbidden to keep."""

import hashlib
import uuid
from collections import Counter
from dataclasses import dataclass

from sources.collector import masking, quarantine
from sources.collector.bots import is_bot
from sources.collector.consent import CHANGE, Verdict
from sources.collector.deduplication import Memory, fingerprint
from sources.collector.events import ABSENT, UNREADABLE, Context, Event, decode_event, encode
from sources.collector.senders import Source
from sources.collector.settings import Limits
from sources.collector.shape import REPLACEMENT, fault_of, has_nul, size_fault
from sources.collector.taken import EVENTS, Taken

NOTHING = Context()
KINDS = 10  # a longer word is no type, and isn't repeated
SENT_AT_BYTES = 64


@dataclass(slots=True)
class Facts:
    """What the request itself says, beside its body."""

    received_at: str  # ISO, milliseconds, Z
    address: str | None  # as far as the policy keeps it
    gpc: bool = False
    user_agent: str = ""
    sdk: str | None = None
    retries: bytes = b""  # `,"retry":3`, or nothing


class Sorting:
    """Takes the events of one request one by one; `done` says what became of them."""

    __slots__ = (
        "_contents", "_heads", "_limits", "_memory", "_seen", "_taken", "context", "defaults", "facts", "has_nul", "is_mended",
        "sent_at", "source",
    )  # fmt: skip

    def __init__(self, source: Source, facts: Facts, limits: Limits, memory: Memory) -> None:
        self.source = source
        self.facts = facts
        self.sent_at = b"null"
        self.defaults = b"null"
        self.context = NOTHING
        self.has_nul = self.is_mended = False
        self._limits = limits
        self._memory = memory
        self._taken = Taken()
        self._seen: set[bytes] = set()
        self._contents: Counter[str] = Counter()
        self._heads: dict[tuple[bytes, bool, bytes], bytes] = {}

    def take_raw(self, raw: bytes, kind: str | None) -> None:
        """Take an event that may not even have the shape of one."""
        try:
            event = decode_event(raw)
        except UNREADABLE:
            self.refuse(raw, "wrong_type_of_field" if raw.startswith(b"{") else "not_an_object")
        else:
            self.take(raw, event, event.type or kind)

    def take(self, raw: bytes, event: Event, kind: str | None) -> None:
        """Judge consent first, so that nothing of who refused is kept; then shape, repeats and the plan."""
        context = event.context or NOTHING
        consent = context.consent if context.consent is not ABSENT else self.context.consent
        verdict = self.source.consent.verdict(bytes(consent), self.facts.gpc)
        if not verdict.collect and event.event != CHANGE:
            self._taken.denied[kind if kind and len(kind) < KINDS else "other"] += 1
            return
        if fault := self._fault(raw, event, kind):
            self.refuse(raw, fault, event)
            return
        identity = self._identity(raw, event)
        mark = fingerprint(identity.encode(), self.source.seed)
        if mark in self._seen or self._memory.has(mark):
            self._taken.counts["duplicate"] += 1
            return
        ends = b"}"
        if self.source.plan:
            judged = self.source.plan.judge(raw, str(kind), event.event)
            if not judged.passes:
                self.refuse(raw, judged.codes[0], event, judged.codes)
                return
            raw = judged.raw
            if judged.codes:
                ends = b',"violations":%b,"planVersion":%b}' % (encode(judged.codes), encode(self.source.plan.version))
        self._seen.add(mark)
        self._keep(self._written(raw, event, context, kind), identity, self._head(event, context, verdict), ends)

    def _fault(self, raw: bytes, event: Event, kind: str | None) -> str | None:
        if fault := fault_of(event, kind) or size_fault(raw, len(self.defaults), self._limits):
            return fault
        if self.has_nul and has_nul(raw):
            return "nul_character"
        return "invalid_unicode" if self.is_mended and REPLACEMENT.search(raw) else None

    def _identity(self, raw: bytes, event: Event) -> str:
        """Return the message id. Without one, an event with a time of its own gets the same id at each attempt."""
        if event.messageId not in (None, ""):
            return str(event.messageId)
        timed = event.timestamp or event.originalTimestamp or event.sentAt
        if not timed and self.sent_at == b"null":
            # A repeat can't be told from a second event, and two events mustn't become one.
            return f"assigned-{uuid.uuid4()}"
        content = hashlib.blake2b(raw, digest_size=16, key=b"" if timed else self.sent_at).hexdigest()
        self._contents[content] += 1
        return f"content-{content}-{self._contents[content]}"

    def _written(self, raw: bytes, event: Event, context: Context, kind: str | None) -> bytes:
        """The client's bytes, but for an address that may not be kept and a type that only the path named."""
        if context.ip is not None and self.source.sender.ip != "keep":
            raw = masking.masked(raw, context.ip, self.source.sender.ip)
        if not event.type:
            raw = raw.rstrip()[:-1] + b',"type":"%b"}' % str(kind).encode()
        return raw

    def _head(self, event: Event, context: Context, verdict: Verdict) -> bytes:
        """The envelope before the message id; events of one request mostly share it."""
        sent_at = event.sentAt if event.sentAt is not ABSENT else self.sent_at
        agent = context.userAgent or self.context.userAgent or self.facts.user_agent
        bot = is_bot(agent) if isinstance(agent, str) and agent else False
        direct = context.direct is True or self.source.sender.kind == "browser"
        key = (verdict.line, bot, direct, bytes(sent_at))
        head = self._heads.get(key)
        if head is None:
            sent_at = bytes(sent_at) if len(bytes(sent_at)) <= SENT_AT_BYTES else b"null"
            head = self._heads[key] = b"".join((
                b'{"receivedAt":"', self.facts.received_at.encode(), b'",', self.source.key_line,
                b',"sentAt":', sent_at,
                b',"ip":', encode(self.facts.address) if direct else b"null",
                b',"isBot":', b"true" if bot else b"false",
                b',"consent":', verdict.line,
                b',"defaults":', self.defaults, self.facts.retries,
                b',"messageId":',
            ))  # fmt: skip
        return head

    def _keep(self, raw: bytes, identity: str, head: bytes, ends: bytes) -> None:
        self._taken.keep(EVENTS, b"".join((head, encode(identity), b',"event":', raw, ends)))

    def refuse(self, raw: bytes, code: str, event: Event | None = None, codes: tuple[str, ...] = ()) -> None:
        """Keep it in quarantine with its reason, once: a repaired event may come with the same id."""
        identity = str(event.messageId)[:100] if event and event.messageId else None
        mark = fingerprint(raw, self.source.seed ^ 1)
        if mark in self._seen or self._memory.has(mark):
            self._taken.counts["duplicate"] += 1
            return
        self._seen.add(mark)
        codes_ = list(codes or (code,))
        line = quarantine.line(self.facts.received_at, self.source, "event", codes_, raw, identity, self.facts.sdk)
        self._taken.refuse(line, code)

    def done(self) -> Taken:
        """Return what became of all of them."""
        for line in quarantine.counted(self.facts.received_at, self.source, self._taken.denied):
            self._taken.keep(quarantine.LANE, line)
        self._taken.marks.extend(self._seen)
        self._taken.counts["accepted"] += len(self._taken.lanes.get(EVENTS, ()))
        self._taken.counts["denied"] += self._taken.denied.total()
        return self._taken
