"""Where state lives and what time it is: the two facts taken from the environment."""

import os
from datetime import UTC, datetime
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def home() -> Path:
    """Find the folder of all state: CDP_HOME, else `.cdp` in the project."""
    return Path(os.environ.get("CDP_HOME") or PROJECT / ".cdp")


def now() -> datetime:
    """Read the clock of sends as a naive UTC timestamp; CDP_NOW fixes it for tests and replays."""
    fixed = os.environ.get("CDP_NOW")
    moment = datetime.fromisoformat(fixed) if fixed else datetime.now(UTC)
    if moment.tzinfo is None:
        return moment
    return moment.astimezone(UTC).replace(tzinfo=None)
