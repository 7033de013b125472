"""All processes of the live path: a collector, an owner, and the sandboxes in this process."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dagster_cdp.warehouse import is_owned
from reverse_etl.sandbox.server import running
from reverse_etl.sandbox.state import State
from reverse_etl.sandbox.vendor import environment
from sources.collector.signatures import fresh_standard_secret
from sources.configuration import Configuration
from sources.demo.happening import SETTINGS
from sources.demo.sending import collecting

PATIENCE = 300.0  # seconds for the owner to compile the hot models
TRIAL_WAIT = 1.0  # seconds


class NoStage(RuntimeError):
    """The live path could not be put up; the message says why."""


@dataclass(frozen=True)
class Stage:
    """Where to send, and where to look."""

    host: str
    write_key: str
    webhook_secret: str
    sandbox: State


@contextmanager
def stage(configuration: Configuration) -> Iterator[Stage]:
    """Put everything up and take it down; nothing that is sent leaves this machine."""
    if is_owned(configuration):
        raise NoStage("`cdp live` runs already: end it first, the demo's owner sends to sandboxes only")
    key, secret = f"wk_{secrets.token_urlsafe(24)}", fresh_standard_secret()
    settings = configuration.home / "demo_collector.yml"
    settings.write_text(SETTINGS.format(key=key, secret=secret))
    with (
        running() as sandbox,
        _owner(configuration, environment(sandbox.vendors.values(), sandbox.address)),
        collecting(CDP_COLLECTOR=str(settings)) as host,
    ):
        yield Stage(host, key, secret, sandbox.state)


@contextmanager
def _owner(configuration: Configuration, vendors: dict[str, dict[str, str]]) -> Iterator[None]:
    sandboxes = {name: value for variables in vendors.values() for name, value in variables.items()}
    paths = {"PYTHONPATH": os.pathsep.join(sys.path), "CDP_TRIAL_WAIT": str(TRIAL_WAIT)}
    report = configuration.home / "demo_live.log"
    with report.open("wb") as log:
        command = [sys.executable, "-m", "dagster_cdp.cli", "live", "--snapshot-every", "0"]
        owner = subprocess.Popen(  # noqa: S603 - this very program
            command, env={**os.environ, **sandboxes, **paths}, stdout=log, stderr=log
        )
    try:
        _wait_for(owner, configuration, report)
        yield
    finally:
        owner.terminate()
        owner.wait(PATIENCE)


def _wait_for(owner: "subprocess.Popen[bytes]", configuration: Configuration, report: Path) -> None:
    until = time.monotonic() + PATIENCE
    while owner.poll() is None and time.monotonic() < until:
        if is_owned(configuration):
            return
        time.sleep(0.1)
    raise NoStage(f"the owner of the warehouse did not start; {report} says why")
