"""The official kits: where they are installed, and what stands between them and the collector to try their patience."""

import fcntl
import hashlib
import http.client
import http.server
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Self

import pytest

KITS = Path(__file__).with_name("kits")
HOP = {"host", "content-length", "connection", "transfer-encoding"}


def installed_kits() -> Path:
    """Return a folder with the npm packages of `kits/`, installed once for each state of its lock."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("needs npm: apt-get install npm")
    lock = (KITS / "package-lock.json").read_bytes()
    folder = Path(tempfile.gettempdir()) / f"cdp-kits-{hashlib.sha256(lock).hexdigest()[:12]}"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock_file:  # tests run in several processes
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        if not (folder / "whole").exists():
            install(folder)
    return folder


def install(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(KITS / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(f"npm could not install the kits: {done.stderr[-300:]}")
    (folder / "whole").touch()


def run_node(script: str, *arguments: str) -> None:
    done = subprocess.run(
        ["node", KITS / script, *arguments],
        cwd=installed_kits(),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr


class Passing(http.server.BaseHTTPRequestHandler):
    """One request at the gate."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        gate = self.server.gate
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        with gate.turn:
            fault = gate.faults.pop(0) if gate.faults else None
        gate.seen.append((self.path, fault))
        if isinstance(fault, int):
            self._answer(fault, b"{}", {"Retry-After": "1", **self._origin()})
        else:
            self._pass_on(body, is_lost=fault == "lost")

    def do_OPTIONS(self) -> None:
        self._pass_on(None, is_lost=False)

    def do_GET(self) -> None:
        self._pass_on(None, is_lost=False)

    def _pass_on(self, body, *, is_lost: bool) -> None:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        behind = http.client.HTTPConnection(self.server.gate.behind, timeout=20)
        try:
            behind.request(self.command, self.path, body, headers)
            with behind.getresponse() as answer:
                found = answer.status, answer.read(), dict(answer.headers)
        except (OSError, http.client.HTTPException):
            is_lost = True
        finally:
            behind.close()
        if is_lost:
            self.close_connection = True
            self.connection.close()
        else:
            self._answer(*found)

    def _answer(self, status, body, headers) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _origin(self):
        if not (origin := self.headers.get("origin")):
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": "Retry-After",
        }

    def log_message(self, *_) -> None:
        pass


class Gate:
    """Answers the next requests for events as told, instead of the collector or after it; then lets all pass.

    `429` and `503` are answered at the gate; `"lost"` lets the request pass, and then cuts the connection.
    """

    def __init__(self, behind: str, *faults, handler=Passing) -> None:
        self.behind = behind.removeprefix("http://")
        self.faults = list(faults)
        self.seen = []
        self.turn = threading.Lock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.gate = self
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.address = f"http://{self.host}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Serving(http.server.SimpleHTTPRequestHandler):
    """One file of the shop."""

    def translate_path(self, path: str) -> str:
        name, folders = path.split("?", maxsplit=1)[0].lstrip("/"), self.server.gate.folders
        return str(next((folder / name for folder in folders if (folder / name).is_file()), folders[0] / name))

    def log_message(self, *_) -> None:
        pass


class Files(Gate):
    """Serves the pages of `kits/` and the browser's kit, as a shop would from its own origin."""

    def __init__(self, *folders: Path) -> None:
        super().__init__("", handler=Serving)
        self.folders = folders
