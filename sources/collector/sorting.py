"""The events of one request, each judged alone: kept, kept in quarantine, known already, or forbidden to keep."""

import hashlib
import uuid
from collections import Counter
from dataclasses import dataclass

import msgspec

from sources.collector import masking, quarantine
from sources.collector.bots import is_bot
from sources.collector.consent import CHANGE, Verdict
from sources.collector.deduplication import Memory, fingerprint
from sources.collector.events import ABSENT, Context, Event, decode_event, encode
from sources.collector.senders import Source
from sources.collector.settings import Limits
from sources.collector.shape import REPLACEMENT, fault_of, has_nul
from sources.collector.taken import EVENTS, Taken

NOTHING = Context()
KINDS = 10  # a longer word is no type, and isn't repeated
SENT_AT_BYTES = 64
ALLOWED_ENDS = b',"violations":%b,"planVersion":%b}'


@dataclass(slots=True)
class Facts:
    """What the request itself says, beside its body."""

    received_at: str  # ISO, milliseconds, Z
    address: str | None  # as far as the policy keeps it
    gpc: bool = False
    user_agent: str = ""
    sdk: str | None = None
    retries: bytes = b""  # `,"retryCount":3`, or nothing


class Sorting:
    """Takes the events of one request one by one; `done` says what became of them."""

    __slots__ = (
        *("_contents", "_heads", "_largest", "_lines", "_memory", "_policy", "_seen", "_taken", "_unsaid"),
        *("context", "defaults", "facts", "has_nul", "is_mended", "sent_at", "source"),
    )

    def __init__(self, source: Source, facts: Facts, limits: Limits, memory: Memory) -> None:
        self.source = source
        self.facts = facts
        self.sent_at = b"null"
        self.defaults = b"null"
        self.context = NOTHING
        self.has_nul = self.is_mended = False
        self._policy = source.sender.ip
        self._unsaid = source.consent.verdict(b"", facts.gpc)
        self._largest = limits.event + len(self.defaults)
        self._memory = memory
        self._taken = Taken()
        self._lines: list[bytes] = []
        self._seen: set[bytes] = set()
        self._contents: Counter[str] = Counter()
        self._heads: dict[tuple[Verdict, object, object, bytes], bytes] = {}

    def take_raw(self, raw: bytes, kind: str | None) -> None:
        """Take an event that may not even have the shape of one."""
        try:
            event = decode_event(raw)
        except RecursionError:
            self.refuse(raw, "too_deep")
        except msgspec.DecodeError:
            self.refuse(raw, "wrong_type_of_field" if raw.startswith(b"{") else "not_an_object")
        else:
            self.take(raw, event, event.type or kind)

    def take_all(self, raws: list[bytes]) -> Taken:
        for raw in raws:
            self.take_raw(raw, None)
        return self.done()

    def take(self, raw: bytes, event: Event, kind: str | None) -> None:
        """Judge consent first, so that nothing of who refused is kept; then shape, repeats and the plan."""
        context = event.context or NOTHING
        consent = self.context.consent if context.consent is ABSENT else context.consent
        verdict = self._unsaid if consent is ABSENT else self.source.consent.verdict(bytes(consent), self.facts.gpc)
        if not verdict.collect and event.event != CHANGE:
            self._taken.denied[kind if kind and len(kind) < KINDS else "other"] += 1
            return
        if fault := fault_of(event, kind) or self._text_fault(raw):
            self.refuse(raw, fault, event)
            return
        identity = event.messageId or self._content(raw, event)
        mark = fingerprint(str(identity).encode(), self.source.seed)
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
                ends = ALLOWED_ENDS % (encode(judged.codes), encode(self.source.plan.version))
        if context.ip is not None and self._policy != "keep":
            raw = masking.masked(raw, context.ip, self._policy)
        if not event.type:
            raw = b'%b,"type":"%b"}' % (raw.rstrip()[:-1], str(kind).encode())
        self._seen.add(mark)
        head = self._head(event, context, verdict)
        self._lines.append(b"".join((head, encode(str(identity)), b',"event":', raw, ends)))

    def _text_fault(self, raw: bytes) -> str | None:
        """What a batch adds to each event counts as its own: it is stored with every one of them."""
        if len(raw) + len(self.defaults) > self._largest:
            return "event_too_large"
        if self.has_nul and has_nul(raw):
            return "nul_character"
        return "invalid_unicode" if self.is_mended and REPLACEMENT.search(raw) else None

    def _content(self, raw: bytes, event: Event) -> str:
        """Return the id of an event without one; if it has a time of its own, the same at each attempt."""
        timed = event.timestamp or event.originalTimestamp or event.sentAt
        if not timed and self.sent_at == b"null":
            # A repeat can't be told from a second event, and two events mustn't become one.
            return f"assigned-{uuid.uuid4()}"
        content = hashlib.blake2b(raw, digest_size=16, key=b"" if timed else self.sent_at).hexdigest()
        self._contents[content] += 1
        return f"content-{content}-{self._contents[content]}"

    def _head(self, event: Event, context: Context, verdict: Verdict) -> bytes:
        """The envelope before the message id; events of one request mostly share it."""
        sent_at = self.sent_at if event.sentAt is ABSENT else bytes(event.sentAt)
        agent = context.userAgent or self.context.userAgent
        agent = agent if isinstance(agent, str) else self.facts.user_agent
        key = (verdict, agent, context.direct is True, sent_at)
        head = self._heads.get(key)
        if head is None:
            head = self._heads[key] = self._written_head(verdict, agent, context.direct is True, sent_at)
        return head

    def _written_head(self, verdict: Verdict, agent: str, is_direct: bool, sent_at: bytes) -> bytes:
        facts = self.facts
        address = facts.address if is_direct or self.source.sender.kind == "browser" else None
        return b"".join(
            (
                *(b'{"receivedAt":"', facts.received_at.encode(), b'",', self.source.key_line),
                *(b',"sentAt":', sent_at if len(sent_at) <= SENT_AT_BYTES else b"null", b',"ip":', encode(address)),
                *(b',"isBot":', b"true" if agent and is_bot(agent) else b"false", b',"consent":', verdict.line),
                *(b',"defaults":', self.defaults, facts.retries, b',"messageId":'),
            )
        )

    def refuse(self, raw: bytes, code: str, event: Event | None = None, codes: tuple[str, ...] = ()) -> None:
        """Keep it in quarantine with its reason, once; a repaired event may come with the same id."""
        identity = str(event.messageId)[:100] if event and event.messageId else None
        mark = fingerprint(raw, self.source.seed ^ 1)
        if mark in self._seen or self._memory.has(mark):
            self._taken.counts["duplicate"] += 1
            return
        self._seen.add(mark)
        facts = self.facts
        reason = quarantine.Reason("plan" if codes else "event", codes or (code,))
        line = quarantine.line(facts.received_at, self.source.origin, reason, raw, message_id=identity, sdk=facts.sdk)
        self._taken.refuse(line, code)

    def done(self) -> Taken:
        """Return what became of all of them."""
        taken = self._taken
        if self._lines:
            taken.lanes[EVENTS] = self._lines
            taken.counts["accepted"] = len(self._lines)
        if taken.denied:
            taken.counts["denied"] = taken.denied.total()
            for line in quarantine.counted(self.facts.received_at, self.source.origin, taken.denied):
                taken.keep(quarantine.LANE, line)
        taken.marks.extend(self._seen)
        return taken
