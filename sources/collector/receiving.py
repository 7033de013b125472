"""The routes that take something: read, recognise the sender, sort, store, and only then say yes."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from sources.collector import pixels
from sources.collector.answers import SUCCESS, Answer, refusal
from sources.collector.body import read_body
from sources.collector.call import Call, now
from sources.collector.intake import Refused
from sources.collector.pressure import Hold
from sources.collector.refusal import Refusal
from sources.collector.senders import Source
from sources.collector.taken import Taken
from sources.collector.webhook import Delivery
from sources.log.refusals import LogRefused

if TYPE_CHECKING:
    from sources.collector.app import Collector

Reply = Callable[[Answer | Exception], None]


async def events(collector: "Collector", call: Call) -> Answer:
    """Take one call of a type that the path names, or a batch; 200 once all is on disk, 400 for what can't be read."""
    limits = collector.settings.limits
    hold = Hold(collector.in_flight)
    try:
        body = await read_body(call.receive, hold, 2 * limits.batch, limits.seconds)
        return await told(partial(take_events, collector, call, body))
    finally:
        hold.release()


def take_events(collector: "Collector", call: Call, body: bytes, reply: Reply) -> None:
    """Take a body that is here as a whole. Raises what refuses it at once; `reply` gets what is known later."""
    source = collector.senders.find(call.headers.get(b"authorization"), body, call.query)
    take(collector, call, source, body, reply)


def take(collector: "Collector", call: Call, source: Source, body: bytes, reply: Reply) -> None:
    """Sort and store what a known sender sent."""
    check_site(source, call.origin)
    if source.bucket:
        source.bucket.check()
    facts = call.facts(source, collector.settings.trusted_proxies)
    kind, intake = collector.kinds.get(call.path), collector.intake
    found = intake.single(body, kind, source, facts) if kind else intake.batch(body, source, facts)
    taken, answer = (found.taken, refusal(400, found.code)) if isinstance(found, Refused) else (found, SUCCESS)

    def stored(fault: Exception | None) -> None:
        if source.bucket and fault is None:
            source.bucket.took(sum(taken.counts.values()))
        reply(fault or answer)

    store(collector, taken, source.sender.name, stored)


async def pixel(collector: "Collector", call: Call) -> Answer:
    """Take one call from the address of an image: who asks for one gets it, whatever the call is worth."""
    source = collector.senders.find(None, b"", call.query)
    body = pixels.event_of(call.query, call.headers.get(b"user-agent", b""))
    await told(partial(take, collector, call, source, body))
    return pixels.IMAGE


async def webhook(collector: "Collector", call: Call) -> Answer:
    """Check the signature over the very bytes, append, and answer; nobody else's work is done in between."""
    hook = collector.hooks.find(call.name)
    hold = Hold(collector.in_flight)
    limits = collector.settings.limits
    try:
        body = await read_body(call.receive, hold, limits.webhook, limits.seconds)
        found = hook.take(Delivery(call.headers, body, now()), collector.memory)
        taken, answer = (found.taken, refusal(400, found.code)) if isinstance(found, Refused) else (found, SUCCESS)
        return await told(lambda reply: store(collector, taken, call.name, lambda fault: reply(fault or answer)))
    finally:
        hold.release()


def check_site(source: Source, origin: bytes | None) -> None:
    if source.sites and origin is not None and origin not in source.sites:
        raise Refusal(403, "origin_not_allowed")


def store(collector: "Collector", taken: Taken, name: str, stored: Callable[[Exception | None], None]) -> None:
    """Call `stored` when all of it is on disk, with None, or with why it isn't; only then are its ids remembered."""
    missing, worst = len(taken.lanes) or 1, None

    def answered(fault: Exception | None) -> None:
        nonlocal missing, worst
        missing, worst = missing - 1, worst or fault
        if not missing:
            stored(worst or remember(collector, taken, name))

    if not taken.lanes:
        answered(None)
    for lane, lines in taken.lanes.items():
        try:
            collector.log.submit(lane, lines, answered)
        except LogRefused as fault:
            answered(fault.with_traceback(None))  # its frames hold the lines, and we hold it: nothing would let go


def remember(collector: "Collector", taken: Taken, name: str) -> Exception | None:
    """Keep in mind what is on disk now; return what went wrong: nobody is above to catch it."""
    try:
        collector.memory.add(taken.marks)
        collector.is_well()
        collector.metrics.took(name, taken.counts)
    except Exception as fault:  # noqa: BLE001 - as above: it becomes an answer
        return fault
    return None


async def told(begin: Callable[[Reply], None]) -> Answer:
    """Wait for what is told by a call. Raises what it says went wrong."""
    future: asyncio.Future[Answer | Exception] = asyncio.get_running_loop().create_future()

    def reply(said: Answer | Exception) -> None:
        if not future.done():  # the client hung up
            future.set_result(said)

    begin(reply)
    said = await future
    if isinstance(said, Answer):
        return said
    raise said
