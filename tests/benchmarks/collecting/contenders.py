"""The servers, each started alone, pinned to one core while the load runs on the other; and what they cost."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.collecting.traffic import KEY

HERE = Path(__file__).parent
SETTINGS = f"sources: {{site: {{write_key: {KEY}}}}}\n"
SERVER_CORE, LOAD_CORE = "0", "1"
MIB = 1024


def compiled(name: str, folder: Path) -> Path:
    """Compile `<name>.c` with the machine's compiler."""
    if (compiler := shutil.which("cc")) is None:
        raise SystemExit("the benchmark needs a C compiler: apt-get install gcc")
    target = folder / name
    subprocess.run([compiler, "-O2", "-o", target, HERE / f"{name}.c"], check=True)
    return target


@dataclass
class Server:
    """A running server, and its greatest memory so far."""

    process: subprocess.Popen
    port: int
    peak_mib: float = 0.0
    anonymous_mib: float = 0.0
    watching: threading.Event = field(default_factory=threading.Event)

    def cpu(self) -> float:
        """Seconds on a core, of all threads, to the nanosecond; the usual counters of ticks miss short turns."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def watch(self) -> None:
        status = Path(f"/proc/{self.process.pid}/status")
        while not self.watching.wait(0.02):
            with contextlib.suppress(OSError, IndexError):
                told = status.read_text()
                resident, anonymous = (int(told.partition(f"{name}:")[2].split()[0]) for name in ("VmHWM", "RssAnon"))
                self.peak_mib = max(self.peak_mib, resident / MIB)
                self.anonymous_mib = max(self.anonymous_mib, anonymous / MIB)


@contextlib.contextmanager
def running(name: str, folder: Path, tools: Path) -> Iterator[Server]:
    """Run one contender on an empty folder."""
    folder.mkdir(parents=True)
    (folder / "collector.yml").write_text(SETTINGS)
    port = free_port()
    command = {
        "C": [str(tools / "limit"), str(port), str(folder / "log")],
        "ours": [sys.executable, "-m", "sources.collector", "--port", str(port)],
        "no sync": [sys.executable, "-m", "tests.benchmarks.collecting.altered", "nothing", "--port", str(port)],
        "slow disk": [sys.executable, "-m", "tests.benchmarks.collecting.altered", "slow", "--port", str(port)],
    }[name]
    environment = {**os.environ, "CDP_HOME": str(folder), "CDP_WAREHOUSE": str(folder / "warehouse.duckdb")}
    for other in ("CDP_LOG", "CDP_COLLECTOR"):
        environment.pop(other, None)
    process = subprocess.Popen(["taskset", "-c", SERVER_CORE, *command], env=environment, stderr=subprocess.DEVNULL)
    server = Server(process, port)
    wait_until_open(port)
    watcher = threading.Thread(target=server.watch)
    watcher.start()
    try:
        yield server
    finally:
        server.watching.set()
        watcher.join()
        process.terminate()
        process.wait(60)


def load(tools: Path, server: Server, request: Path, clients: int, seconds: float) -> dict:
    """Send as fast as it answers; return what came back and what it cost the server."""
    before = server.cpu()
    command = [tools / "load", server.port, clients, seconds, request, random.randrange(1 << 20)]
    pinned = ["taskset", "-c", LOAD_CORE, *map(str, command)]
    done = subprocess.run(pinned, check=True, capture_output=True, text=True)
    return {**json.loads(done.stdout), "cpu": server.cpu() - before}


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def wait_until_open(port: int) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise SystemExit("the server doesn't start")
