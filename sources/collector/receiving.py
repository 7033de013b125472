"""The routes that take something: read, recognise the sender, sort, store, and only then say yes."""

from typing import TYPE_CHECKING

from sources.collector import pixels
from sources.collector.answers import SUCCESS, Answer, refusal
from sources.collector.body import read_body
from sources.collector.call import Call, now
from sources.collector.intake import Refused
from sources.collector.pressure import Hold
from sources.collector.refusal import Refusal
from sources.collector.senders import Source
from sources.collector.taken import Taken, store
from sources.collector.webhook import Delivery

if TYPE_CHECKING:
    from sources.collector.app import Collector


async def single(collector: "Collector", call: Call) -> Answer:
    """Take one call of a type that the path names."""
    return await received(collector, call, collector.kinds[call.path])


async def batch(collector: "Collector", call: Call) -> Answer:
    """Take many calls at once."""
    return await received(collector, call, None)


async def received(collector: "Collector", call: Call, kind: str | None) -> Answer:
    """Answer 200 once everything is on disk, 400 for what can't be read."""
    limits = collector.settings.limits
    hold = Hold(collector.in_flight)
    try:
        body = await read_body(call.receive, hold, 2 * limits.batch, limits.seconds)
        source = collector.senders.find(call.headers.get(b"authorization"), body, call.query)
        return await taken_in(collector, call, source, body, kind)
    finally:
        hold.release()


async def taken_in(collector: "Collector", call: Call, source: Source, body: bytes, kind: str | None) -> Answer:
    """Sort and store what a known sender sent."""
    check_site(source, call.origin)
    if source.bucket:
        source.bucket.check()
    facts = call.facts(source, collector.settings.trusted_proxies)
    intake = collector.intake
    found = intake.single(body, kind, source, facts) if kind else intake.batch(body, source, facts)
    if isinstance(found, Refused):
        await keep(collector, found.taken, source.sender.name)
        return refusal(400, found.code)
    await keep(collector, found, source.sender.name)
    if source.bucket:
        source.bucket.took(found.counts.total())
    return SUCCESS


async def pixel(collector: "Collector", call: Call) -> Answer:
    """Take one call from the address of an image; who asks for one can't send more."""
    source = collector.senders.find(None, b"", call.query)
    body = pixels.event_of(call.query, call.headers.get(b"user-agent", b""))
    answer = await taken_in(collector, call, source, body, collector.kinds[call.path])
    return pixels.IMAGE if answer is SUCCESS else answer


async def webhook(collector: "Collector", call: Call) -> Answer:
    """Check the signature over the very bytes, append, and answer; nobody else's work is done in between."""
    hook = collector.hooks.find(call.name)
    hold = Hold(collector.in_flight)
    limits = collector.settings.limits
    try:
        body = await read_body(call.receive, hold, limits.webhook, limits.seconds)
        found = hook.take(Delivery(call.headers, body, now()), collector.memory)
        taken = found.taken if isinstance(found, Refused) else found
        await keep(collector, taken, call.name)
        return refusal(400, found.code) if isinstance(found, Refused) else SUCCESS
    finally:
        hold.release()


def check_site(source: Source, origin: bytes | None) -> None:
    if source.sites and origin is not None and origin not in source.sites:
        raise Refusal(403, "origin_not_allowed")


async def keep(collector: "Collector", taken: Taken, name: str) -> None:
    await store(taken, collector.log, collector.memory)
    collector.is_well()
    collector.metrics.took(name, taken.counts)
