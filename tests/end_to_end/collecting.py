"""A collector in its own process, as the command starts it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime

import httpx
from standardwebhooks import Webhook


class Collector:
    """A process of `cdp collect`."""

    def __init__(self, environment=None):
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.command = [sys.executable, "-m", "dagster_cdp.cli", "collect", "--port", str(self.port)]
        self.environment = environment or dict(os.environ)
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            self.command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.05)
        raise AssertionError("the collector does not listen")

    def end(self, word=signal.SIGTERM):
        self.process.send_signal(word)
        self.process.wait(30)

    def send(self, *events, **beside):
        body = json.dumps({"batch": events, "writeKey": "wk_test", **beside}).encode()
        answer = httpx.post(f"http://127.0.0.1:{self.port}/v1/batch", content=body, timeout=30)
        assert answer.status_code == 200

    def deliver(self, name, secret, identity, payload):
        """Send a webhook that is signed by Standard Webhooks."""
        body, at = json.dumps(payload), datetime.now(UTC)
        headers = {
            "webhook-id": identity,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign(identity, at, body),
        }
        answer = httpx.post(f"http://127.0.0.1:{self.port}/webhooks/{name}", content=body, headers=headers, timeout=30)
        assert answer.status_code == 200
