"""What is taken from the environment: where state lives, what time it is, and whether triggers are only tried out."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def home() -> Path:
    """Find the folder of all state: CDP_HOME, else `.cdp` in the project."""
    return Path(os.environ.get("CDP_HOME") or PROJECT / ".cdp")


def command() -> str:
    """Name the command somebody typed, for the next steps that are printed: CDP_COMMAND, which `cdp sync` sets."""
    return os.environ.get("CDP_COMMAND", "python -m reverse_etl")


def now() -> datetime:
    """Read the clock of sends as a naive UTC timestamp; CDP_NOW fixes it for tests and replays."""
    fixed = os.environ.get("CDP_NOW")
    moment = datetime.fromisoformat(fixed) if fixed else datetime.now(UTC)
    if moment.tzinfo is None:
        return moment
    return moment.astimezone(UTC).replace(tzinfo=None)


def trial_wait() -> timedelta | None:
    """Read CDP_TRIAL_WAIT, in seconds: while trying out, no trigger waits longer, nor for the end of quiet hours."""
    seconds = os.environ.get("CDP_TRIAL_WAIT")
    return timedelta(seconds=float(seconds)) if seconds else None
