"""From an event's sending to the sandbox's yes, with every process of the live path on this machine.

Shoppers' events go over HTTP to a collector; the owner lands and resolves them; whoever buys is taken off the lists of
what was in the cart, and an ad platform's stand-in says yes. Then the same while dbt builds run back to back.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx

from dagster_cdp import dbt
from dagster_cdp.live_demo.stage import Stage, stage
from dagster_cdp.warehouse import ask_owner, connect
from sources.configuration import read_configuration
from tests.benchmarks.live_world import next_events

MARTS = ["event_times", "audience_answers", "event_answers", "cycle_time"]
BUILT = ["profiles", "audiences"]
EVERY = 0.05  # seconds between two requests
PATIENCE = 120.0  # seconds for what is behind to be answered
# An event's `timestamp` is when it was sent, by the clock of this machine; what a trigger waits on purpose is no delay.
TAKEN = """
select cast((epoch_us({until}) - epoch_us(greatest(events.occurred_at, {due}))) / 1000 as bigint) as milliseconds
from staging.stg_web_events__events as events inner join {moments} as moments on events.event_id = moments.event_id
where events.received_at >= ? and {until} is not null
order by 1
"""


def answered(profiles: int, rate: int, seconds: float) -> dict[str, Any]:
    """Percentiles in milliseconds of events in the hot models and of answers by the sandbox, quiet and with builds."""
    with stage(read_configuration()) as put_up:
        built = ask_owner("dbt", ["run", *dbt.places(), "--select", *MARTS, "--no-write-json"], [])
        assert built.success, built.failure
        quiet = spell(put_up, profiles, rate, seconds)
        with builds() as counted:
            busy = spell(put_up, profiles, rate, seconds)
    return {**quiet, **{f"with_builds_{name}": value for name, value in busy.items()}, "builds": counted[0]}


def spell(put_up: Stage, profiles: int, rate: int, seconds: float) -> dict[str, Any]:
    """Send for so long, wait until all is answered, and say how long it took."""
    since = datetime.now(UTC).replace(tzinfo=None)
    sent = send(put_up, profiles, rate, seconds)
    with connect("benchmark") as warehouse:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            resolved = taken(warehouse, "ops.event_times", "moments.resolved_at", "events.occurred_at", since)
            if len(resolved) >= sent:
                break
            time.sleep(1)
        time.sleep(3)  # the last answers
        answers = taken(warehouse, "ops.event_answers", "moments.acknowledged_at", "moments.due_at", since)
    assert len(resolved) == sent, f"{len(resolved)} of {sent} events arrived within {PATIENCE:.0f} s"
    return {**percentiles("resolved", resolved), **percentiles("acknowledged", answers)}


def send(put_up: Stage, profiles: int, rate: int, seconds: float) -> int:
    """Post what is due in one batch after the other."""
    began, sent = time.monotonic(), 0
    with httpx.Client(base_url=put_up.host, auth=(put_up.write_key, "")) as client:
        while (passed := time.monotonic() - began) < seconds:
            if due := int(passed * rate) - sent:
                client.post("/v1/batch", json={"batch": next_events(due, profiles)}).raise_for_status()
                sent += due
            time.sleep(EVERY)
    return sent


def taken(warehouse: Any, moments: str, until: str, due: str, since: datetime) -> list[int]:
    rows = warehouse.execute(TAKEN.format(moments=moments, until=until, due=due), [since])
    return [row[0] for row in rows]


def percentiles(name: str, milliseconds: list[int]) -> dict[str, int]:
    at = {f"p{percent}": milliseconds[int(len(milliseconds) * percent / 100)] for percent in (50, 95, 99)}
    return {f"{name}_events": len(milliseconds)} | {f"{name}_{key}_milliseconds": value for key, value in at.items()}


@contextlib.contextmanager
def builds() -> Iterator[list[int]]:
    """Hand dbt builds to the owner, one after the other; how many were made."""
    counted, is_over = [0], threading.Event()

    def build() -> None:
        words = ["build", *dbt.places(), "--select", *BUILT, "--exclude-resource-type", "unit_test", "--no-write-json"]
        while not is_over.is_set():
            ask_owner("dbt", words, [])
            counted[0] += 1

    thread = threading.Thread(target=build)
    thread.start()
    try:
        yield counted
    finally:
        is_over.set()
        thread.join()
