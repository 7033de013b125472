"""A real NATS server with JetStream, that can be stopped and started."""

import socket
import subprocess
import time
from contextlib import closing


def free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class NatsServer:
    def __init__(self, folder):
        self.port = free_port()
        self.command = ["nats-server", "-js", "-a", "127.0.0.1", "-p", str(self.port), "-sd", str(folder)]
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.02)
        raise AssertionError("nats-server does not listen")

    def stop(self):
        self.process.kill()
        self.process.wait()

    @property
    def address(self):
        return f"nats://127.0.0.1:{self.port}/cdp-test"
