"""Several workers on one machine: each has its own process, socket and segments; the parent starts them again."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from types import FrameType

from sources.collector.server import listening, look_over, run_worker
from sources.collector.telling import tell
from sources.configuration import Configuration

PAUSE = 0.2
AGAIN_AFTER = 1.0  # seconds before a worker that died is started again


def collect(
    configuration: Configuration, host: str, port: int, workers: int = 1, begins: Callable[[], None] = lambda: None
) -> None:
    """Serve until told to stop; return when all that was accepted is on disk. Raises BadConfiguration at the start."""
    look_over(configuration, host, port)
    begins()
    if workers == 1:
        run_worker(configuration, host, port)
        return
    with contextlib.closing(listening(host, port)):  # held, never listened on: the port stays ours
        Parent([sys.executable, "-m", "sources.collector", "--host", host, "--port", str(port)], workers).run()


class Parent:
    """Keeps so many workers alive, and takes them down with it."""

    def __init__(self, command: list[str], workers: int) -> None:
        self._command = command
        self._workers = [self._started() for _ in range(workers)]
        self._is_stopping = False
        for word in (signal.SIGTERM, signal.SIGINT):
            signal.signal(word, self._stop)

    def run(self) -> None:
        while not self._is_stopping:
            time.sleep(PAUSE)
            for place, worker in enumerate(self._workers):
                if worker.poll() is not None and not self._is_stopping:
                    tell("worker_lost", pid=worker.pid, code=worker.returncode)
                    time.sleep(AGAIN_AFTER)
                    self._workers[place] = self._started()
        for worker in self._workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self._workers:
            worker.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command)  # noqa: S603 - our own command

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._is_stopping = True
