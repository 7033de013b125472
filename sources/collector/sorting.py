"""The events of one request, each judged alone: kept, kept in quarantine, known already, or forbidden to keep."""

import hashlib
import uuid
from collections.abc import Sequence

import msgspec
from msgspec import Raw

from sources.collector import choices, masking, quarantine
from sources.collector.bots import is_bot
from sources.collector.choices import CHANGE
from sources.collector.consent import Verdict
from sources.collector.deduplication import Memory, fingerprint
from sources.collector.events import ABSENT, TYPES, Context, Event, decode_any, decode_event, encode
from sources.collector.facts import Facts
from sources.collector.senders import Source
from sources.collector.settings import Limits
from sources.collector.shape import ID_LENGTH, LINKS, REPLACEMENT, fault_of, has_nul, has_time, rest_of
from sources.collector.taken import EVENTS, Taken
from sources.log.lines import Lines

NOTHING = Context()
SIMPLE = TYPES - {"track", *LINKS}
FIELD, ENDED, PIECES = b',"event":', b"}\n", 5  # a usual line: its head, its id, the field, the event, the end
KINDS = 10  # a longer word is no type, and isn't repeated
SENT_AT_BYTES = 64
ALLOWED_ENDS = b',"violations":%b,"planVersion":%b}'


class Sorting:
    """Takes the events of one request one by one; `done` says what became of them."""

    __slots__ = (
        *("_contents", "_heads", "_largest", "_lines", "_memory", "_policy", "_seen", "_taken", "_unsaid"),
        *("context", "defaults", "facts", "has_nul", "is_mended", "kind", "sent_at", "source"),
    )

    def __init__(self, source: Source, facts: Facts, limits: Limits, memory: Memory) -> None:
        self.source = source
        self.facts = facts
        self.kind: str | None = None  # the type that the path names
        self.sent_at = facts.sent_at
        self.defaults = b"null"
        self.context = NOTHING
        self.has_nul = self.is_mended = False
        self._policy = source.sender.ip
        self._unsaid = source.consent.verdict(b"", facts.gpc)
        self._largest = limits.event + len(self.defaults)
        self._memory = memory
        self._taken = Taken()
        self._lines = Lines()
        self._seen: set[int] = set()
        self._contents: dict[str, int] = {}
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

    def take_all(self, raws: Sequence[Raw | bytes]) -> Taken:
        for raw in raws:
            self.take_raw(bytes(raw), None)
        return self.done()

    def take_many(self, raws: Sequence[Raw], events: Sequence[Event]) -> Taken:
        """Take usual events in one tight loop, with what doesn't change at hand; the others go the long way, `take`."""
        is_usual = not (self.source.plan or self.has_nul or self._unsaid.choices) and self._unsaid.collect
        seed, seen, pieces, places = self.source.seed, self._seen, self._lines.pieces, dict[int, int]()
        silent, agent, head = self.context.consent is ABSENT, b"", b""
        longest = self._largest - len(self.defaults)
        for raw, event in zip(raws, events, strict=True):
            context, identity = event.context or NOTHING, event.messageId
            if not (
                is_usual
                and type(identity) is str
                and 0 < len(identity) <= ID_LENGTH
                and (event.event if event.type == "track" else event.type in SIMPLE)
                and (event.userId or event.anonymousId)
                and silent
                and context.consent is ABSENT
                and context.ip is None
                and context.direct is None
                and event.sentAt is ABSENT
                and len(raw) <= longest
            ):
                self.take(bytes(raw), event, event.type)
                continue
            mark = fingerprint(identity.encode(), seed)
            if mark in seen:
                self._taken.count("duplicate")
                continue
            if context.userAgent != agent:
                agent, head = context.userAgent, self._head(event, context, self._unsaid)
            seen.add(mark)
            places[mark] = len(pieces)
            pieces += (head, encode(identity), FIELD, raw, ENDED)
        self._leave_known(places)
        return self.done()

    def _leave_known(self, places: dict[int, int]) -> None:
        """Take out what came before; asked for all at once, because each look at memory is a wait."""
        known = self._memory.known([*places])
        self._lines.count += len(places) - len(known)
        for place in sorted((places[mark] for mark in known), reverse=True):
            del self._lines.pieces[place : place + PIECES]
            self._taken.count("duplicate")
        self._seen -= known

    def take(self, raw: bytes, event: Event, kind: str | None) -> None:
        """Judge consent first, so that nothing of who refused is kept; then shape, repeats and the plan."""
        context = event.context or NOTHING
        consent = self.context.consent if context.consent is ABSENT else context.consent
        verdict = self._unsaid if consent is ABSENT else self.source.consent.verdict(bytes(consent), self.facts.gpc)
        if not verdict.collect and event.event != CHANGE:
            self._deny(kind)
            return
        if fault := fault_of(event, raw, kind) or self._text_fault(raw):
            self.refuse(raw, fault, event)
            return
        identity = event.messageId or self._content(raw, event)
        mark = fingerprint(str(identity).encode(), self.source.seed)
        if mark in self._seen or self._memory.has(mark):
            self._taken.count("duplicate")
            return
        if verdict.choices and (said := choices.counted(verdict.choices, event)):
            self._choose(said, raw, event, str(identity))
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
        self._lines.add(head, encode(str(identity)), FIELD, raw, ends)

    def _choose(self, said: list[choices.Choice], raw: bytes, event: Event, identity: str) -> None:
        """Keep what was chosen in the consent log too; a stamp only once in a while."""
        received_at = self.facts.received_at
        if event.event != CHANGE:
            mark = choices.mark_of(said, event, received_at, self.source.seed)
            if mark in self._seen or self._memory.has(mark):
                return
            self._seen.add(mark)
        request = {
            "source": self.source.sender.name,
            "receivedAt": received_at,
            "sentAt": decode_any(self._sent(event)),
        }
        for line in choices.lines(said, event, rest_of(raw), identity, request):
            self._taken.keep(choices.LANE, line)

    def _sent(self, event: Event) -> bytes:
        """When the client says it sent it, as JSON; what is longer is no time."""
        sent_at = self.sent_at if event.sentAt is ABSENT else bytes(event.sentAt)
        return sent_at if len(sent_at) <= SENT_AT_BYTES else b"null"

    def _deny(self, kind: str | None) -> None:
        told = kind if kind and len(kind) < KINDS else "other"
        self._taken.denied[told] = self._taken.denied.get(told, 0) + 1

    def _text_fault(self, raw: bytes) -> str | None:
        """What a batch adds to each event counts as its own: it is stored with every one of them."""
        if len(raw) + len(self.defaults) > self._largest:
            return "event_too_large"
        if self.has_nul and has_nul(raw):
            return "nul_character"
        return "invalid_unicode" if self.is_mended and REPLACEMENT.search(raw) else None

    def _content(self, raw: bytes, event: Event) -> str:
        """Return the id of an event without one; if it has a time of its own, the same at each attempt."""
        timed = event.sentAt is not ABSENT or has_time(raw)
        if not timed and self.sent_at == b"null":
            # A repeat can't be told from a second event, and two events mustn't become one.
            return f"assigned-{uuid.uuid4()}"
        content = hashlib.blake2b(raw, digest_size=16, key=b"" if timed else self.sent_at).hexdigest()
        self._contents[content] = self._contents.get(content, 0) + 1
        return f"content-{content}-{self._contents[content]}"

    def _head(self, event: Event, context: Context, verdict: Verdict) -> bytes:
        """The envelope before the message id; events of one request mostly share it."""
        sent_at = self._sent(event)
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
                *(b',"sentAt":', sent_at, b',"ip":', encode(address)),
                *(b',"isBot":', b"true" if agent and is_bot(agent) else b"false", b',"consent":', verdict.line),
                *(b',"defaults":', self.defaults, facts.retries, b',"messageId":'),
            )
        )

    def refuse(self, raw: bytes, code: str, event: Event | None = None, codes: tuple[str, ...] = ()) -> None:
        """Keep it in quarantine with its reason, once; a repaired event may come with the same id."""
        identity = str(event.messageId)[:100] if event and event.messageId else None
        mark = fingerprint(raw, self.source.seed ^ 1)
        if mark in self._seen or self._memory.has(mark):
            self._taken.count("duplicate")
            return
        self._seen.add(mark)
        facts = self.facts
        kind = (event and event.type) or self.kind
        sent_at = self._sent(event) if event else self.sent_at
        reason = quarantine.Reason(
            "plan" if codes else "event", codes or (code,), kind if kind in TYPES else None, decode_any(sent_at)
        )
        line = quarantine.line(facts.received_at, self.source.origin, reason, raw, message_id=identity, sdk=facts.sdk)
        self._taken.refuse(line, code)

    def done(self) -> Taken:
        """Return what became of all of them."""
        taken = self._taken
        if self._lines.count:
            taken.lanes[EVENTS] = self._lines
            taken.count("accepted", self._lines.count)
        if taken.denied:
            taken.count("denied", sum(taken.denied.values()))
            for line in quarantine.counted(self.facts.received_at, self.source.origin, taken.denied):
                taken.keep(quarantine.LANE, line)
        taken.marks.extend(self._seen)
        return taken
