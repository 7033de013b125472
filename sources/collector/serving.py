"""The routes that give something: settings for analytics.js, the script, the state of this worker, this API."""

from ipaddress import ip_address
from typing import TYPE_CHECKING

from sources.collector import metrics as measured
from sources.collector.answers import SUCCESS, Answer, refusal
from sources.collector.body import read_body
from sources.collector.call import Call
from sources.collector.events import encode
from sources.collector.pressure import Hold
from sources.collector.refusal import Refusal
from sources.collector.snippet import script

if TYPE_CHECKING:
    from sources.collector.app import Collector

HOUR = [(b"cache-control", b"public, max-age=3600")]


async def settings(collector: "Collector", call: Call) -> Answer:
    """Tell analytics.js that there is one destination, this one; without it nothing is sent."""
    try:
        source = collector.senders.known(call.name)
    except Refusal as error:
        return refusal(404, error.code)
    integration = {"apiKey": source.sender.write_key, "unbundledIntegrations": [], "addBundledMetadata": True}
    plan = {kind: {"__default": {"enabled": True, "integrations": {}}} for kind in ("track", "identify", "group")}
    return Answer(200, encode({"integrations": {"Segment.io": integration}, "plan": plan}), headers=HOUR)


async def health(collector: "Collector", _call: Call) -> Answer:
    """Say whether the log took the last thing it was given."""
    if collector.log_fault:
        return Answer(503, encode({"status": "unavailable", "code": collector.log_fault}))
    return Answer(200, b'{"status":"ok"}')


async def discard(collector: "Collector", call: Call) -> Answer:
    """Read what kits measure of themselves, and forget it."""
    hold = Hold(collector.in_flight)
    try:
        await read_body(call.receive, hold, collector.settings.limits.batch, collector.settings.limits.seconds)
    finally:
        hold.release()
    return SUCCESS


async def snippet(_collector: "Collector", _call: Call) -> Answer:
    return Answer(200, script(), b"text/javascript; charset=utf-8", HOUR)


async def metrics(collector: "Collector", call: Call) -> Answer:
    """Tell the counters of all workers to whoever may read them."""
    if collector.settings.metrics == "local" and not is_local(call):
        return refusal(403, "not_for_the_public")
    own = collector.metrics.samples(collector.worker)
    samples = collector.shared.everyone(own) if collector.shared else own
    return Answer(200, measured.text(samples), b"text/plain; version=0.0.4; charset=utf-8")


async def openapi(collector: "Collector", _call: Call) -> Answer:
    return Answer(200, collector.document)


async def robots(_collector: "Collector", _call: Call) -> Answer:
    return Answer(200, b"User-agent: *\nDisallow: /\n", b"text/plain; charset=utf-8")


def is_local(call: Call) -> bool:
    """A private network asks itself; what a proxy passes on may come from anywhere."""
    if call.peer is None or b"x-forwarded-for" in call.headers or b"forwarded" in call.headers:
        return False
    try:
        return ip_address(call.peer.split("%")[0]).is_private
    except ValueError:
        return False
