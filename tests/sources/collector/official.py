"""The official kits: where they are installed, and what stands between them and the collector to try their patience."""

import hashlib
import http.server
import shutil
import subprocess
import tempfile
import threading
import urllib.request
from pathlib import Path

import pytest

KITS = Path(__file__).with_name("kits")
HOP = {"host", "content-length", "connection", "transfer-encoding"}


def installed_kits() -> Path:
    """Return a folder with the npm packages of `kits/`, installed once for each state of its lock."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("needs npm: apt-get install npm")
    lock = (KITS / "package-lock.json").read_bytes()
    folder = Path(tempfile.gettempdir()) / f"cdp-kits-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not (folder / "whole").exists():
        folder.mkdir(exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(KITS / name, folder)
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"npm could not install the kits: {done.stderr[-300:]}")
        (folder / "whole").touch()
    return folder


def run_node(script: str, *arguments: str) -> None:
    done = subprocess.run(
        ["node", KITS / script, *arguments], cwd=installed_kits(), capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr


class Gate:
    """Answers the next requests for events as told, instead of the collector, or after it took them; then lets all pass.

    `429` and `503` are answered at the gate; `"lost"` lets the request pass, and then cuts the connection.
    """

    def __init__(self, behind: str, *faults) -> None:
        self.faults = list(faults)
        self.seen = []
        gate, turn = self, threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                with turn:
                    fault = gate.faults.pop(0) if gate.faults else None
                gate.seen.append((self.path, fault))
                if isinstance(fault, int):
                    self._answer(fault, b"{}", {"Retry-After": "1", **self._origin()})
                    return
                self._pass_on(body, is_lost=fault == "lost")

            def do_OPTIONS(self) -> None:
                self._pass_on(None, is_lost=False)

            do_GET = do_OPTIONS

            def _pass_on(self, body, *, is_lost: bool) -> None:
                headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
                request = urllib.request.Request(behind + self.path, body, headers, method=self.command)
                try:
                    with urllib.request.urlopen(request, timeout=20) as answer:
                        found = answer.status, answer.read(), dict(answer.headers)
                except urllib.error.HTTPError as error:
                    found = error.code, error.read(), dict(error.headers)
                except OSError:
                    is_lost, found = True, None
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
                origin = self.headers.get("origin")
                names = {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "Retry-After"}
                return {**names, "Access-Control-Allow-Credentials": "true"} if origin else {}

            def log_message(self, *_) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.address = f"http://{self.host}"

    def __enter__(self) -> "Gate":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Files(Gate):
    """Serves the pages of `kits/` and the browser's kit, as a shop would from its own origin."""

    def __init__(self, *folders: Path) -> None:
        class Handler(http.server.SimpleHTTPRequestHandler):
            def translate_path(self, path: str) -> str:
                name = path.split("?")[0].lstrip("/")
                return str(next((folder / name for folder in folders if (folder / name).is_file()), folders[0] / name))

            def log_message(self, *_) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
