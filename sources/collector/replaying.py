"""Refused events go through the door once more: the same judgement, by the plan and settings of now.

They keep the time they were received at and their message id, so that one which was sent again meanwhile stays one.
What is refused again is only counted: its first refusal is on record. A half character passes as what replaced it
when the event was written down.
"""

import base64
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

import orjson

from sources.collector.deduplication import Memory
from sources.collector.facts import Facts
from sources.collector.intake import Intake, Refused
from sources.collector.senders import Source, source_of
from sources.collector.settings import read_settings
from sources.collector.taken import EVENTS, Taken
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

    @property
    def body(self) -> bytes:
        return base64.b64decode(self.raw) if self.is_base64 else self.raw.encode()


def replay(refusals: Iterable[Kept], configuration: Configuration, *, only_try: bool = False) -> Counter[str]:
    """Append those that pass to the log, and count what became of all: accepted, duplicate, or why not."""
    settings = read_settings(configuration.collector)
    sources = {sender.name: source_of(sender) for sender in settings.sources.values()}
    memory = Memory(configuration.home / "collector" / "ids", settings.limits.ids_a_day)
    intake = Intake(settings.limits, memory)
    counts: Counter[str] = Counter()
    passed = Taken()
    for kept in refusals:
        source = sources.get(kept.source)
        taken = judged(intake, kept, source) if source else None
        counts[outcome(taken)] += 1
        if taken and taken.lanes.get(EVENTS):
            passed.lane(EVENTS).extend(taken.lanes[EVENTS])
            passed.marks.extend(taken.marks)
    if passed.lanes and not only_try:
        with closing(open_log(configuration)) as log:
            log.writer.put_now(EVENTS, passed.lanes[EVENTS])
        memory.add(passed.marks)
    return counts


def judged(intake: Intake, kept: Kept, source: Source) -> Taken:
    facts = Facts(received_at=kept.received_at, address=None, sdk=kept.sdk, sent_at=orjson.dumps(kept.sent_at))
    found = intake.single(with_id(kept.body, kept.refusal_id), kept.kind, source, facts)
    return found.taken if isinstance(found, Refused) else found


def outcome(taken: Taken | None) -> str:
    """Say in one word what became of one event."""
    if taken is None:
        return "unknown_source"
    if taken.lanes.get(EVENTS):
        return "accepted"
    if taken.denied:
        return "consent_denied"
    codes = [
        name.partition(":")[2] for name, count in taken.counts.items() if count and name.startswith("quarantined:")
    ]
    return codes[0] if codes else "duplicate" if taken.counts.get("duplicate") else "refused"


def with_id(body: bytes, refusal_id: str) -> bytes:
    """Give an event without a message id one that is the same at each replay."""
    try:
        event = orjson.loads(body)
    except ValueError:
        return body
    if not isinstance(event, dict) or not event or event.get("messageId"):
        return body
    return b'%b,"messageId":"refusal-%b"}' % (body.strip()[:-1], refusal_id.encode())
