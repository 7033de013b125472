"""A collector in this process: the application and its log, asked by ASGI or by the bytes of a socket."""

import asyncio
import base64
import json
from pathlib import Path

import httpx
from wire import Wire

from sources.collector.app import Collector
from sources.collector.deduplication import Memory
from sources.collector.settings import Sender, Settings
from sources.log.reader import Reader
from sources.log.writer import Writer
from sources.origins.envelope import Shape
from sources.source import load_source

KEY, SERVER_KEY = "wk_site", "wk_server"
SENDERS = {
    "site": Sender(write_key=KEY, name="site"),
    "server": Sender(write_key=SERVER_KEY, name="server", kind="server"),
    "off": Sender(write_key="wk_off", name="off", enabled=False),
}
TRACK = {"type": "track", "event": "Product Viewed", "userId": "u1", "messageId": "m1"}


def basic(key: str = KEY) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


class Door:
    """Sends requests, and reads what is on disk."""

    def __init__(
        self, folder: Path, settings: Settings | None = None, log=None, peer="203.0.113.77", way="ASGI"
    ) -> None:
        self.folder = folder
        self.settings = settings or Settings(sources=SENDERS)
        self.log = log or Writer(folder / "log")
        self.memory = Memory(folder / "ids", 1000)
        self.collector = Collector(self.settings, self.log, self.memory)
        self.peer = peer
        self.way = way

    def ask(self, method: str, path: str, **given) -> httpx.Response:
        async def go() -> httpx.Response:
            asked = httpx.ASGITransport(app=self.collector, client=(self.peer, 4711)) if self.way == "ASGI" else None
            transport = asked or Wire(self.collector, self.peer)
            async with httpx.AsyncClient(transport=transport, base_url="http://collector") as client:
                return await client.request(method, path, **given)

        return asyncio.run(go())

    def post(self, path: str, body, headers=None, key: str | None = KEY, **given) -> httpx.Response:
        content = body if isinstance(body, bytes | str) else json.dumps(body)
        return self.ask(
            "POST", path, content=content, headers={**(basic(key) if key else {}), **(headers or {})}, **given
        )

    def track(self, **fields) -> httpx.Response:
        return self.post("/v1/track", {**TRACK, **fields})

    def batch(self, *events, **beside) -> httpx.Response:
        return self.post("/v1/batch", {"batch": list(events), **beside})

    def lines(self, lane: str = "web_events.events") -> list[dict]:
        found, _ = Reader(self.folder / "log").read(lane, {}, 1 << 30)
        return [json.loads(line) for line in found]

    def refused(self) -> list[str]:
        """The first code of everything in quarantine."""
        return [line["codes"][0] for line in self.lines("quarantine")]

    def rows(self) -> list[dict]:
        """The events as they will be loaded."""
        shape = Shape(load_source("web_events").table("events"))
        return [json.loads(shape.row(json.dumps(line).encode(), 0)) for line in self.lines()]
