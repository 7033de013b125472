"""What stops a collector at its start is one line that says what to mend; what happens later is told as it happens."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing

import pytest
from living import Living, free_port

from sources.collector.server import listening, look_over
from sources.configuration import read_configuration
from sources.refusals import BadConfiguration


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("CDP_LOG", "CDP_COLLECTOR", "CDP_WAREHOUSE", "CDP_LOG_ADDRESS", "CDP_LOG_ACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CDP_HOME", str(tmp_path))
    return tmp_path


def started(workers: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sources.collector", "--port", str(free_port()), "--workers", str(workers)]
    environment = {**os.environ, "PYTHONPATH": "."}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("workers", [1, 2])
def test_faulty_settings_are_one_line_and_nobody_tries_again(home, workers):
    (home / "collector.yml").write_text("sources: {site: {write_key: a, plan: nowhere}}")
    done = started(workers)
    assert done.returncode == 1
    assert done.stderr.startswith("collect: no tracking plan 'nowhere'")
    assert "Traceback" not in done.stderr


def test_an_address_that_is_taken_is_named():
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with pytest.raises(BadConfiguration, match=f"127.0.0.1, port {port}: Address already in use; try another"):
            listening("127.0.0.1", port)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 80_000), ("nowhere.invalid", 8097)])
def test_an_address_that_is_none_is_named(host, port):
    with pytest.raises(BadConfiguration, match=f"can't listen on {host}, port {port}"):
        listening(host, port)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"CDP_LOG_ADDRESS": "carrier-pigeon://roof/log"}, "CDP_LOG_ADDRESS carrier-pigeon://… can't be used"),
        ({"CDP_LOG_ADDRESS": "memory://log", "CDP_LOG_ACK": "broker"}, "CDP_LOG_ACK=broker needs"),
    ],
)
def test_a_log_that_can_not_be_opened_is_found_before_a_worker_is_started(home, monkeypatch, settings, why):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadConfiguration, match=why):
        look_over(read_configuration(), "127.0.0.1", 0)


def test_the_loss_of_a_worker_is_told(tmp_path):
    with Living(tmp_path, workers=2) as living:
        first, second = (line["pid"] for line in told(living, "worker_started", count=2))
        os.kill(first, signal.SIGKILL)
        [lost] = told(living, "worker_lost")
        assert (lost["pid"], lost["code"]) == (first, -signal.SIGKILL)
        assert second not in {line["pid"] for line in told(living, "worker_lost")}


def told(living: Living, event: str, count: int = 1) -> list[dict]:
    """Wait until it was said so often."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        lines = map(json.loads, (living.folder / "said").read_text().splitlines())
        if len(found := [line for line in lines if line["event"] == event]) >= count:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{event} was not told")
