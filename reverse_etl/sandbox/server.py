"""The sandbox over HTTP, on loopback only: real requests, real limits, faults on demand.

POST /v1/audiences/<name>/members   {"rows": [{operation_id, operation: put|remove, key, fields}]}
GET  /__state     POST /__reset     POST /__fault {"action", "times", "seconds"}
"""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from reverse_etl.environment import home
from reverse_etl.sandbox.state import Fault, State

API_KEY = "sandbox"
MOST_ROWS = 10_000
MOST_BYTES = 8_000_000
MEMBERS = re.compile(r"/v1/audiences/([a-z0-9_]{1,63})/members")
ACTIONS = {"429", "503", "500", "401", "404", "400", "html", "reset", "timeout", "drop_after_commit"}


class _Handler(BaseHTTPRequestHandler):
    """One request; `self.server` carries the state."""

    protocol_version = "HTTP/1.1"
    server: "SandboxServer"

    def log_message(self, *_: Any) -> None:
        """Stay silent: a request line may name people."""

    def do_GET(self) -> None:
        if not self._is_local() or self.path != "/__state":
            return self._answer(404, {"error": "unknown_path"})
        state = self.server.state
        return self._answer(200, {"audiences": state.audiences(), "operations": state.counts()})

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > MOST_BYTES:
            self.close_connection = True
            return self._answer(413, {"error": "too_large", "limit_bytes": MOST_BYTES})
        body = self.rfile.read(length)
        if not self._is_local():
            return self._answer(404, {"error": "unknown_path"})
        if self.path == "/__reset":
            self.server.state.reset()
            return self._answer(200, {})
        if self.path == "/__fault":
            return self._plant(body)
        return self._members(body)

    def _plant(self, body: bytes) -> None:
        fault = json.loads(body)
        if str(fault.get("action")) not in ACTIONS:
            return self._answer(400, {"error": "unknown_action", "known": sorted(ACTIONS)})
        self.server.state.plant(str(fault["action"]), int(fault.get("times", 1)), float(fault.get("seconds", 0)))
        return self._answer(200, {})

    def _members(self, body: bytes) -> None:
        audience = MEMBERS.fullmatch(self.path)
        if not audience:
            return self._answer(404, {"error": "unknown_path"})
        if self.headers.get("authorization") != f"Bearer {API_KEY}":
            return self._answer(401, {"error": "wrong_key"})
        fault = self.server.state.next_fault()
        if fault and fault.action != "drop_after_commit":
            return self._fail(fault)
        try:
            rows = json.loads(body)["rows"]
            ids = {row["operation_id"] for row in rows}
        except (ValueError, KeyError, TypeError):
            return self._answer(400, {"error": "malformed"})
        if not 0 < len(rows) <= MOST_ROWS or len(ids) < len(rows):
            return self._answer(400, {"error": "rows_or_ids", "limit_rows": MOST_ROWS})
        results = self.server.state.apply(audience[1], rows)
        return self._hang_up() if fault else self._answer(200, {"results": results})

    def _fail(self, fault: Fault) -> None:
        if fault.action == "reset":
            return self._hang_up()
        if fault.action == "timeout":
            time.sleep(fault.seconds)
            return self._hang_up()
        if fault.action == "html":
            return self._send(200, b"<html>Gateway</html>", {"content-type": "text/html"})
        waits = {"retry-after": f"{fault.seconds:.0f}"} if fault.action in {"429", "503"} else {}
        return self._send(int(fault.action), b'{"error": "injected"}', waits)

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _is_local(self) -> bool:
        """Whether the caller named this machine: a page in a browser can't read members by a DNS trick."""
        return (self.headers.get("host") or "").split(":")[0] in {"127.0.0.1", "localhost"}

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, json.dumps(body).encode(), {"content-type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class SandboxServer(ThreadingHTTPServer):
    """A server on a free port of 127.0.0.1 over the state of CDP_HOME."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.state = State(home() / "sandbox" / "sandbox.sqlite")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def running() -> Iterator[SandboxServer]:
    """Serve in a thread of this process for as long as the block lasts; its state stays."""
    with SandboxServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
