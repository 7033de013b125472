"""The sandbox over HTTP, on loopback only: real requests, real limits, faults on demand.

/<vendor>/...                       a vendor's own API: vendors/<vendor>.py; its base URL is the address and its name
POST /v1/audiences/<name>/members   the bundled destination:
                                    {"rows": [{operation_id, operation: put|remove, key, fields}]}
GET  /v1/audiences/<name>/members?from=0   its members, a page of keys
GET  /   what everybody holds, to look at          GET /__state?vendor=&kind=   the same in JSON, unmasked
GET  /__log?vendor=   requests in their order      POST /__reset   forget everything
POST /__fault {"match": {"vendor", "path", "nth"}, "action", "times", "seconds"}   see fault.py
"""

import json
import re
import select
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from reverse_etl.environment import home, now
from reverse_etl.sandbox.fault import BadFault, Fault
from reverse_etl.sandbox.page import page
from reverse_etl.sandbox.state import State
from reverse_etl.sandbox.vendor import Answer, Call, Vendor, all_vendors, environment, failure

API_KEY = "sandbox"
MOST_ROWS, MOST_ON_A_PAGE = 10_000, 10_000
MOST_BYTES, MOST_VENDOR_BYTES = 8_000_000, 150_000_000  # of the bundled; vendors have their own, smaller limits
MEMBERS = re.compile(r"/v1/audiences/([^/]{1,400})/members")
BUNDLED = "sandbox"
LONGEST_HANG_SECONDS = 3600.0


class _HangUp(ConnectionError):
    """The caller gets no answer."""


class _Handler(BaseHTTPRequestHandler):
    """One request; `self.server` carries the state."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the body of an answer waits 40 ms for the word that its head has arrived
    server: "SandboxServer"

    def log_message(self, *_: Any) -> None:
        """Stay silent: a request line may name people."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Date answers by the clock the vendors see."""
        return super().date_time_string(now().replace(tzinfo=UTC).timestamp() if timestamp is None else timestamp)

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        vendor = self._vendor()
        limit = MOST_VENDOR_BYTES if vendor else MOST_BYTES
        if length > limit:
            self.close_connection = True
            return self._send(Answer(413, {"error": "too_large", "limit_bytes": limit}))
        body = self.rfile.read(length)
        if not self._is_local():
            return self._send(Answer(404, {"error": "unknown_path"}))
        try:
            return self._send(self._control(body) or self._outside(vendor, body))
        except _HangUp:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_POST  # noqa: N815 — the names http.server calls

    def _control(self, body: bytes) -> Answer | None:
        """Answer what is asked of the sandbox itself."""
        state, url = self.server.state, urlsplit(self.path)
        asked = dict(parse_qsl(url.query))
        match (self.command, url.path):
            case ("GET", "/"):
                shown = page(state, environment(self.server.vendors.values(), self.server.address)).encode()
                return Answer(content=shown, headers={"content-type": "text/html; charset=utf-8"})
            case ("GET", "/__state"):
                held = state.file.documents(asked.get("vendor", ""), asked.get("kind", ""))
                mine = {"audiences": state.audiences(), "operations": state.counts()} if not asked else {}
                return Answer(json={**mine, "vendors": held})
            case ("GET", "/__log"):
                return Answer(json={"requests": state.log(asked.get("vendor", ""))})
            case ("POST", "/__reset"):
                state.reset()
                return Answer(json={})
            case ("POST", "/__fault"):
                return self._plant(body)
        return None

    def _plant(self, body: bytes) -> Answer:
        try:
            wish = json.loads(body)
            for_whom = (wish.get("match") or {}).get("vendor", BUNDLED)
            if for_whom not in (known := [BUNDLED, *sorted(self.server.vendors)]):
                raise BadFault(f"unknown_vendor: there are {', '.join(known)}")
            self.server.state.plant(wish)
        except (ValueError, TypeError, AttributeError, re.error) as error:
            return Answer(400, {"error": str(error)})
        return Answer(json={})

    def _outside(self, vendor: Vendor | None, body: bytes) -> Answer:
        """Serve a vendor's request: write it down, suffer what is planted, answer."""
        name, path = vendor.name if vendor else BUNDLED, urlsplit(self.path).path
        if not vendor and not MEMBERS.fullmatch(path):
            return Answer(404, {"error": "unknown_path"})
        state = self.server.state
        request_id = state.record(name, self.command, path, len(body))
        fault = state.next_fault(name, path)
        answer = None
        try:
            if fault is None or fault.is_applied:
                answer = self._ask(vendor, body) if vendor else self._members(path, body)
            answer = self._suffer(fault, vendor, answer)
        except _HangUp:
            answer = None
            raise
        finally:
            state.answered(request_id, answer.status if answer else None, fault.action if fault else "")
        return answer

    def _suffer(self, fault: Fault | None, vendor: Vendor | None, answer: Answer | None) -> Answer:
        if fault is None or fault.action == "slow":
            self.server.is_closing.wait(fault.seconds if fault else 0)
            return answer or Answer(500)
        if fault.action == "hang":
            self._wait_until_the_caller_goes()
        if fault.action == "timeout":
            self.server.is_closing.wait(fault.seconds)
        if fault.action == "html":
            return Answer(200, content=b"<html>Gateway</html>", headers={"content-type": "text/html"})
        if fault.action.isdigit():
            return failure(vendor, int(fault.action), fault.seconds)
        raise _HangUp

    def _ask(self, vendor: Vendor, body: bytes) -> Answer:
        url = urlsplit(self.path)
        call = Call(
            method=self.command,
            path=unquote(url.path.removeprefix(f"/{vendor.name}")) or "/",
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            now=now(),
        )
        try:
            with self.server.state.file.store(vendor.name) as store:
                return vendor.handle(call, store)
        except Exception as error:  # noqa: BLE001 — a server that errs must say so, not hang up
            frame = error.__traceback__
            while frame and frame.tb_next:
                frame = frame.tb_next
            where = f"{type(error).__name__} in {vendor.name}, line {frame.tb_lineno if frame else 0}"
            print(f"sandbox: {where}", file=sys.stderr)  # noqa: T201
            return Answer(500, {"error": f"the sandbox erred: {where}"})

    def _members(self, path: str, body: bytes) -> Answer:
        audience = MEMBERS.fullmatch(path)
        if not audience or self.command not in {"GET", "POST"}:
            return Answer(404, {"error": "unknown_path"})
        if self.headers.get("authorization") != f"Bearer {API_KEY}":
            return Answer(401, {"error": "wrong_key"})
        if self.command == "GET":
            return self._page(unquote(audience[1]))
        try:
            rows = json.loads(body)["rows"]
            ids = {row["operation_id"] for row in rows}
        except (ValueError, KeyError, TypeError):
            return Answer(400, {"error": "malformed"})
        if not 0 < len(rows) <= MOST_ROWS or len(ids) < len(rows):
            return Answer(400, {"error": "rows_or_ids", "limit_rows": MOST_ROWS})
        return Answer(json={"results": self.server.state.apply(unquote(audience[1]), rows)})

    def _page(self, audience: str) -> Answer:
        said = dict(parse_qsl(urlsplit(self.path).query)).get("from", "0")
        start = int(said) if said.isdigit() else 0
        keys = self.server.state.members(audience, start, MOST_ON_A_PAGE + 1)
        following = start + MOST_ON_A_PAGE if len(keys) > MOST_ON_A_PAGE else 0
        return Answer(json={"members": keys[:MOST_ON_A_PAGE], "next": following})

    def _wait_until_the_caller_goes(self) -> None:
        waited = 0.0
        while waited < LONGEST_HANG_SECONDS and not self.server.is_closing.wait(0.02):
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return
            waited += 0.02

    def _vendor(self) -> Vendor | None:
        return self.server.vendors.get(urlsplit(self.path).path.split("/")[1])

    def _is_local(self) -> bool:
        """Whether the caller named this machine: a page in a browser can't read members by a DNS trick."""
        return (self.headers.get("host") or "").split(":")[0] in {"127.0.0.1", "localhost"}

    def _send(self, answer: Answer) -> None:
        body = answer.bytes
        self.send_response(answer.status)
        headers = {"content-type": "application/json", **answer.headers, "content-length": str(len(body))}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class SandboxServer(ThreadingHTTPServer):
    """A server on a free port of 127.0.0.1 over the state of CDP_HOME."""

    daemon_threads = True

    def __init__(self, port: int = 0, vendors: Mapping[str, Vendor] | None = None) -> None:
        self.state = State(home() / "sandbox" / "sandbox.sqlite")  # first: what can't listen closes it
        self.vendors = all_vendors() if vendors is None else vendors
        self.is_closing = threading.Event()
        self.state.file.keep()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_close(self) -> None:
        super().server_close()
        self.state.file.close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: Any) -> None:
        """Stay silent: who hangs up on a slow server is a test, not news."""


@contextmanager
def running(vendors: Mapping[str, Vendor] | None = None) -> Iterator[SandboxServer]:
    """Serve in a thread of this process for as long as the block lasts; its state stays."""
    with SandboxServer(vendors=vendors) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.is_closing.set()
            server.shutdown()
            thread.join()
