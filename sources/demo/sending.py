"""Part of the demo's events go the way of a real shop: an official SDK sends them to a collector of their own.

They leave their inbox file once the collector has said yes to all of them, so each is loaded once, from the log.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sources.collector.settings import read_settings
from sources.configuration import Configuration
from sources.refusals import Refused

MOST = 300  # events
PATIENCE = 60.0  # seconds for the collector to listen
CALLS = {"track": "event", "page": "name", "screen": "name", "identify": None}
MARK = "sent_by_sdk.json"
Event = dict[str, Any]


class NotSent(Refused):
    """The demo's events did not reach its collector; they are still in the inbox."""


def send_part(configuration: Configuration, truth: Path, last_day: str) -> int:
    """Send some events of the last day, once, and return how many there were; 0 when that was done before."""
    file = Path(configuration.inbox) / "web_events" / "events" / f"{last_day}.jsonl"
    mark = truth / MARK
    if (mark.exists() and json.loads(mark.read_text()) == last_day) or not file.exists():
        return 0
    lines = file.read_text().splitlines(keepends=True)
    chosen = sendable(lines)
    with collecting() as host:
        send([json.loads(lines[at]) for at in chosen], key_of(configuration), host)
    rest = "".join(line for at, line in enumerate(lines) if at not in chosen)
    half = file.with_name(f".{file.name}")
    half.write_text(rest)
    half.replace(file)
    mark.write_text(json.dumps(last_day))
    return len(chosen)


def sendable(lines: list[str]) -> set[int]:
    """Choose the first lines that an SDK could have sent: sound ones that are there once."""
    events = [json.loads(line) for line in lines]
    ids = [event["messageId"] for event in events]
    sound = [
        at
        for at, event in enumerate(events)
        if event["type"] in CALLS
        and event["messageId"] and ids.count(event["messageId"]) == 1
        and (event["type"] != "track" or event["event"])
        and (event["anonymousId"] or event["userId"])
        and moment(event["timestamp"]) == moment(event["originalTimestamp"]) is not None
    ]  # fmt: skip
    return set(sound[:MOST])


def send(events: list[Event], write_key: str, host: str) -> None:
    """Send them with the SDK, and return when the collector has answered for each."""
    from segment.analytics.client import Client  # noqa: PLC0415 - of the extra `demo`

    faults: list[Exception] = []
    client = Client(write_key, host=host, gzip=True, on_error=lambda fault, _batch: faults.append(fault), max_retries=3)
    for event in events:
        named = CALLS[event["type"]]
        own = {"traits": event["traits"]} if named is None else {named: event[named], "properties": event["properties"]}
        getattr(client, event["type"])(
            user_id=event["userId"],
            anonymous_id=event["anonymousId"],
            context=event["context"],
            timestamp=moment(event["timestamp"]),
            message_id=event["messageId"],
            **own,
        )
    client.shutdown()
    if faults:
        raise NotSent(f"the demo's collector refused events: {type(faults[0]).__name__}; run `cdp demo` again")


@contextmanager
def collecting(**more: str) -> Iterator[str]:
    """Run a collector as `cdp collect` does, and let it end by itself when it has drained."""
    port = free_port()
    command = [sys.executable, "-m", "sources.collector", "--port", str(port)]
    environment = {**os.environ, **more, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise NotSent("the demo's collector did not start; try `cdp collect` to see why")


def key_of(configuration: Configuration) -> str:
    """Return a key whose senders say themselves where a shopper is."""
    senders = read_settings(configuration.collector).sources.values()
    found = next((sender.write_key for sender in senders if sender.kind == "server" and sender.enabled), None)
    if found is None:
        raise NotSent(f"{configuration.collector} has no source of kind server; the demo sends as one")
    return found


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text or "")
    except ValueError:
        return None
