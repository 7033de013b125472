"""A process killed under load, again and again: what it acknowledged is read once, and only whole lines are."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from sources.log.reader import Reader

WORKER = Path(__file__).with_name("worker.py")
ROUNDS = 8 if os.environ.get("CDP_TEST_WHOLE") else 2


@pytest.mark.slow
def test_kill_9_under_load(tmp_path):
    acknowledged, read, position = set(), Counter(), {}
    for run in range(ROUNDS):
        command = [sys.executable, str(WORKER), str(tmp_path / "log"), str(run)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."}) as worker:
            said = worker.stdout.readline()  # under load from here on
            time.sleep(0.3)
            worker.send_signal(signal.SIGKILL)
            said += worker.stdout.read()
        acknowledged.update(said.decode().split("\n")[:-1])
        lines, position = Reader(tmp_path / "log").read("shop.visits", position, 1 << 30)
        read.update(json.loads(line)["id"] for line in lines)
    assert len(acknowledged) > 100 * ROUNDS
    assert acknowledged <= set(read)
    assert set(read.values()) == {1}
