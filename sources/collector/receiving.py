"""The routes that take events: read, recognise the sender, sort, store, and only then say yes."""

from typing import TYPE_CHECKING

from sources.collector.answers import SUCCESS, Answer, refusal
from sources.collector.body import read_body
from sources.collector.call import Call
from sources.collector.intake import Refused
from sources.collector.taken import Taken, store

if TYPE_CHECKING:
    from sources.collector.app import Collector


async def single(collector: "Collector", call: Call) -> Answer:
    """Take one call of a type that the path names."""
    return await received(collector, call, collector.kinds[call.path])


async def batch(collector: "Collector", call: Call) -> Answer:
    """Take many calls at once."""
    return await received(collector, call, None)


async def received(collector: "Collector", call: Call, kind: str | None) -> Answer:
    """Answer 200 once everything is on disk, 400 for what can't be read; the same path for all who send events."""
    limits = collector.settings.limits
    body = await read_body(call.receive, limits.batch, limits.seconds)
    source = collector.senders.find(call.headers.get(b"authorization"), body, call.query)
    facts = call.facts(source, collector.settings.trusted_proxies)
    collector.in_flight.take(len(body))
    try:
        intake = collector.intake
        taken = intake.single(body, kind, source, facts) if kind else intake.batch(body, source, facts)
        refused = taken if isinstance(taken, Refused) else None
        await keep(collector, refused.taken if refused else taken, source.sender.name)
    finally:
        collector.in_flight.give_back(len(body))
    return refusal(400, refused.code) if refused else SUCCESS


async def keep(collector: "Collector", taken: Taken, name: str) -> None:
    await store(taken, collector.log, collector.memory)
    collector.metrics.took(name, taken.counts)
