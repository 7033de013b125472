"""A collector in its own process, and clients that behave as SDKs do."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from door import KEY, SERVER_KEY, basic

from sources.log.reader import Reader

SETTINGS = """\
sources:
  site: {{write_key: {site}, kind: browser}}
  server: {{write_key: {server}, kind: server}}
limits: {{{limits}}}
"""


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


class Living:
    """Starts, kills and starts again; the port and the folder stay."""

    def __init__(self, folder: Path, *, limits: str = "", workers: int = 1, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.workers = workers
        self.address = f"http://127.0.0.1:{self.port}"
        self._environment = environment
        (folder / "collector.yml").write_text(SETTINGS.format(site=KEY, server=SERVER_KEY, limits=limits))

    def start(self) -> Self:
        environment = {**os.environ, "CDP_HOME": str(self.folder), "PYTHONPATH": ".", **self._environment}
        for name in ("CDP_WAREHOUSE", "CDP_LOG", "CDP_COLLECTOR"):
            environment.pop(name, None)
        command = [sys.executable, "-m", "sources.collector", "--port", str(self.port), "--workers", str(self.workers)]
        with (self.folder / "said").open("ab") as said:
            self.process = subprocess.Popen(command, env=environment, stderr=said)
        self.wait_until_well()
        return self

    def wait_until_well(self) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                if self.ask("GET", "/healthz")[0] == 200:
                    return
            assert self.process.poll() is None, (self.folder / "said").read_text()
            time.sleep(0.05)
        raise AssertionError("the collector doesn't answer")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def ask(self, method: str, path: str, body: bytes | None = None, headers=None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            # Who is killed while they answer leave a socket that only their unread answer holds.
            with connection.getresponse() as answer:
                return answer.status, answer.read()

    def post(self, path: str, body, key: str = KEY) -> int:
        return self.ask("POST", path, json.dumps(body).encode(), basic(key))[0]

    def lines(self, lane: str = "web_events.events") -> list[dict]:
        found, _ = Reader(self.folder / "log").read(lane, {}, 1 << 30)
        return [json.loads(line) for line in found]

    @property
    def memory(self) -> int:
        """What the process holds itself, in bytes; pages of files don't count."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("RssAnon:")[2].split()[0]) * 1024

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):
            self.stop()
        if self.process.poll() is None:
            self.kill()
