"""From a readable body to lines for the log, and what is answered when a body can't be read."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from msgspec import Raw

from sources.collector import masking, quarantine
from sources.collector.deduplication import Memory, fingerprint
from sources.collector.events import (
    UNREADABLE,
    Batch,
    Context,
    decode_batch,
    decode_context,
    decode_event,
    decode_events,
    decode_raw,
)
from sources.collector.facts import Facts
from sources.collector.senders import Source
from sources.collector.settings import Limits
from sources.collector.shape import may_hold_nul, repaired
from sources.collector.sorting import Sorting
from sources.collector.splitting import split
from sources.collector.taken import Taken

SENT_AT_BYTES = 64  # a longer one is no time
EMPTY = Context()


@dataclass(frozen=True)
class Refused:
    """A body that is answered with 400; what is kept of it stands in `taken`."""

    code: str
    taken: Taken


class Intake:
    """Judges the bodies of requests; holds nothing of them."""

    def __init__(self, limits: Limits, memory: Memory) -> None:
        self._limits = limits
        self._memory = memory

    def single(self, body: bytes, kind: str | None, source: Source, facts: Facts) -> Taken | Refused:
        """Take one event; the type of the path counts where the event has none of its own."""
        body = body.strip()
        if len(body) > self._limits.event:
            return self.refused(body, "body_too_large", source, facts)
        text = one_line(body)
        try:
            event = decode_event(body)
        except UNREADABLE:
            return self._mended_single(body, kind, source, facts)
        if not (body.isascii() or is_utf8(body)):
            return self._mended_single(body, kind, source, facts)
        sorting = Sorting(source, facts, self._limits, self._memory)
        sorting.kind = kind
        sorting.has_nul = may_hold_nul(text)
        sorting.take(text, event, event.type or kind)
        return sorting.done()

    def batch(self, body: bytes, source: Source, facts: Facts) -> Taken | Refused:
        """Take the events of a batch, each by itself."""
        if len(body) > self._limits.batch:
            return self.refused(body, "body_too_large", source, facts)
        try:
            batch = decode_batch(body)
        except UNREADABLE:
            return self._mended_batch(body, source, facts)
        if not (body.isascii() or is_utf8(body)):
            return self._mended_batch(body, source, facts)
        if b"\n" in body or b"\r" in body:
            body = one_line(body)
            batch = decode_batch(body)
        sorting = self._begun(batch, body, source, facts)
        raws = batch.batch
        if len(raws) > self._limits.events:
            return self._too_many(raws, sorting)
        try:
            events = decode_events(body).batch
        except UNREADABLE:
            return sorting.take_all(raws)
        return sorting.take_many(raws, events)

    def _mended_batch(self, body: bytes, source: Source, facts: Facts) -> Taken | Refused:
        """Half a character pair, a stray byte or an abyss spoils its own event, not the batch."""
        text = one_line(repaired(body))
        try:
            batch, raws = decoded(text)
        except UNREADABLE:
            return self.refused(body, "malformed_json", source, facts)
        sorting = self._begun(batch, text, source, facts)
        sorting.is_mended = True
        return self._too_many(raws, sorting) if len(raws) > self._limits.events else sorting.take_all(raws)

    def _too_many(self, raws: Sequence[Raw | bytes], sorting: Sorting) -> Taken:
        for raw in raws:
            sorting.refuse(bytes(raw), "too_many_events")
        return sorting.done()

    def _begun(self, batch: Batch, body: bytes, source: Source, facts: Facts) -> Sorting:
        sorting = Sorting(source, facts, self._limits, self._memory)
        sorting.has_nul = may_hold_nul(body)
        sorting.sent_at = short(batch.sentAt)
        self._share(sorting, batch, source)
        return sorting

    def _share(self, sorting: Sorting, batch: Batch, source: Source) -> None:
        """Give the batch's own context and integrations to each of its events."""
        context, integrations = bytes(batch.context), bytes(batch.integrations)
        if not context.startswith(b"{") and not integrations:
            return
        try:
            sorting.context = decode_context(context) if context.startswith(b"{") else EMPTY
        except UNREADABLE:
            context = b""
        if sorting.context.ip is not None and source.sender.ip != "keep":
            context = masking.masked(context, sorting.context.ip, source.sender.ip)
        sorting.defaults = b'{"context":%b,"integrations":%b}' % (context or b"null", integrations or b"null")

    def _mended_single(self, body: bytes, kind: str | None, source: Source, facts: Facts) -> Taken | Refused:
        text = one_line(repaired(body)).strip()
        if not text.startswith(b"{") or not is_json(text):
            return self.refused(body, "malformed_json", source, facts)
        sorting = Sorting(source, facts, self._limits, self._memory)
        sorting.is_mended, sorting.kind = True, kind
        sorting.has_nul = may_hold_nul(text)
        sorting.take_raw(text, kind)
        return sorting.done()

    def refused(self, body: bytes, code: str, source: Source, facts: Facts) -> Refused:
        """Keep a body that no event can be read from, once; its sender is known."""
        taken = Taken()
        mark = fingerprint(body, source.seed ^ 1)
        if not self._memory.has(mark):
            taken.marks.append(mark)
            reason = quarantine.Reason("body", (code,))
            line = quarantine.line(facts.received_at, source.origin, reason, body, sdk=facts.sdk)
            taken.refuse(line, code)
        return Refused(code, taken)


def decoded(text: bytes) -> tuple[Batch, Sequence[Raw | bytes]]:
    """Return a batch and its events, also if one of them can't be read. Raises what the reader raises."""
    try:
        batch = decode_batch(text)
    except RecursionError:
        if (parts := split(text)) is None:
            raise
        return decode_batch(parts[0]), parts[1]
    return batch, batch.batch


def one_line(text: bytes) -> bytes:
    """Line breaks of JSON stand between its parts, never in them."""
    if b"\n" in text or b"\r" in text:
        return text.replace(b"\n", b" ").replace(b"\r", b" ")
    return text


def is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_json(body: bytes) -> bool:
    """Whether it can be read as JSON, or only nests too deep for that."""
    try:
        decode_raw(body)
    except msgspec.DecodeError:
        return False
    except RecursionError:
        return True
    return True


def short(raw: Raw) -> bytes:
    text = bytes(raw)
    return text if text and len(text) <= SENT_AT_BYTES else b"null"
