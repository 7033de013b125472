"""`cdp live` in a process of its own, and events for it."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests/dagster_cdp/live"))

from shoppers import EVENTS, Shoppers  # noqa: E402

from sources.configuration import read_configuration  # noqa: E402
from sources.log.writer import Writer  # noqa: E402


@contextmanager
def owner():
    """Own the warehouse of the environment for the block, and end well."""
    from dagster_cdp.warehouse import is_owned

    command = [sys.executable, "-m", "dagster_cdp.cli", "live", "--snapshot-every", "0"]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + 300
        while not is_owned(read_configuration()):
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < until
            time.sleep(0.2)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=120)[1]
        print(said)
    assert process.returncode == 0, said
    assert "Error" not in said, said


class Town:
    """Shoppers whose events are written to the log, by hand or steadily."""

    def __init__(self, seed=1):
        self.shoppers, self.writer = Shoppers(seed), Writer(Path(read_configuration().log))
        self.written = set()

    def happen(self, count=20):
        lines = [line for lane, line in self.shoppers.lines(count) if lane == EVENTS]
        self.writer.append_now(EVENTS, lines)
        self.written |= set(lines)

    @contextmanager
    def steadily(self, every=0.2):
        is_over = threading.Event()

        def live():
            while not is_over.wait(every):
                self.happen(10)

        thread = threading.Thread(target=live)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()


def until(what, seconds=60):
    """Look until it is so; whether it became so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.1)
    return False
