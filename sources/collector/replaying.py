"""Refused events and deliveries go through the door once more: the same judgement, by the plan and settings of now.

They keep the time they were received at and their message id, so that one which was sent again meanwhile stays one.
What is refused again is only counted: its first refusal is on record. A half character passes as what replaced it
when the event was written down. Rows of a delivery have no message id, so a line says that it passed.
"""

import base64
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

import orjson

from sources.collector import quarantine
from sources.collector.deduplication import Memory, fingerprint
from sources.collector.facts import Facts
from sources.collector.intake import Intake, Refused
from sources.collector.senders import Source, source_of
from sources.collector.settings import Settings, read_settings
from sources.collector.taken import EVENTS, Taken
from sources.collector.webhook import Hooks, Receiver, Signed
from sources.configuration import Configuration
from sources.log.opening import open_log


@dataclass(frozen=True)
class Kept:
    """One refused event as it was written down."""

    refusal_id: str
    source: str
    received_at: str  # ISO, milliseconds, Z
    raw: str
    is_base64: bool = False
    sdk: str | None = None
    kind: str | None = None  # also that of the path
    sent_at: str | None = None
    stage: str = "event"
    message_id: str | None = None

    @property
    def name(self) -> str:
        return f"refusal-{self.refusal_id}"

    @property
    def body(self) -> bytes:
        return base64.b64decode(self.raw) if self.is_base64 else self.raw.encode()


def replay(refusals: Iterable[Kept], configuration: Configuration, *, only_try: bool = False) -> Counter[str]:
    """Append those that pass to the log, and count what became of all: accepted, duplicate, or why not."""
    settings = read_settings(configuration.collector)
    memory = Memory(configuration.home / "collector" / "ids", settings.limits.ids_a_day)
    again = Again(settings, memory)
    counts: Counter[str] = Counter()
    passed = Taken()
    for kept in refusals:
        word, taken = again.judged(kept)
        counts[word] += 1
        for lane, lines in taken.lanes.items():
            passed.lane(lane).extend(lines)
        passed.marks.extend(taken.marks)
    if passed.lanes and not only_try:
        with closing(open_log(configuration)) as log:
            for lane in sorted(passed.lanes, key=quarantine.LANE.__eq__):  # that something passed is said last
                log.writer.put_now(lane, passed.lanes[lane])
        memory.add(passed.marks)
    return counts


class Again:
    """Judges what was refused, whoever sent it: in one word, and what is to be written of it."""

    def __init__(self, settings: Settings, memory: Memory) -> None:
        self._memory = memory
        self._intake = Intake(settings.limits, memory)
        self._hooks = Hooks(settings).receivers
        self._sources = {name: hook.source for name, hook in self._hooks.items()}
        self._sources.update((sender.name, source_of(sender)) for sender in settings.sources.values())

    def judged(self, kept: Kept) -> tuple[str, Taken]:
        if kept.stage == "webhook" and kept.source in self._hooks:
            return self._delivery(kept, self._hooks[kept.source])
        if kept.stage != "webhook" and kept.source in self._sources:
            return self._event(kept, self._sources[kept.source])
        return "unknown_source", Taken()

    def _event(self, kept: Kept, source: Source) -> tuple[str, Taken]:
        """Judge one event; what it chose was kept when it was refused."""
        facts = Facts(received_at=kept.received_at, address=None, sdk=kept.sdk, sent_at=orjson.dumps(kept.sent_at))
        found = self._intake.single(with_id(kept.body, kept.name), kept.kind, source, facts)
        taken = found.taken if isinstance(found, Refused) else found
        if not taken.lanes.get(EVENTS):
            return why_not(taken), Taken()
        return "accepted", Taken({EVENTS: taken.lanes[EVENTS]}, taken.marks)

    def _delivery(self, kept: Kept, hook: Receiver) -> tuple[str, Taken]:
        """Judge a whole delivery; that it passed is a line, and until that is loaded an id."""
        mark = fingerprint(kept.name.encode(), hook.source.seed)
        if self._memory.has(mark):
            return "duplicate", Taken()
        signed = Signed(kept.message_id or "", kept.received_at, kept.kind or "")
        found = hook.judged(signed, kept.body, self._memory, Taken())
        taken = found.taken if isinstance(found, Refused) else found
        if not taken.lanes or quarantine.LANE in taken.lanes:
            return why_not(taken), Taken()
        taken.marks.append(mark)
        taken.keep(quarantine.LANE, quarantine.replayed(kept.received_at, hook.source.sender.name, kept.name))
        return "accepted", taken


def why_not(taken: Taken) -> str:
    """Say in one word why something did not pass."""
    if taken.denied:
        return "consent_denied"
    codes = [
        name.partition(":")[2] for name, count in taken.counts.items() if count and name.startswith("quarantined:")
    ]
    return codes[0] if codes else "duplicate" if taken.counts.get("duplicate") else "refused"


def with_id(body: bytes, name: str) -> bytes:
    """Give an event without a message id one that is the same at each replay."""
    try:
        event = orjson.loads(body)
    except ValueError:
        return body
    if not isinstance(event, dict) or not event or event.get("messageId"):
        return body
    return b'%b,"messageId":"%b"}' % (body.strip()[:-1], name.encode())
