"""Spans of time as people write them: `30 minutes`, `3 days`."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
WRITTEN = re.compile(r"(\d{1,6}) (second|minute|hour|day|week)s?")


def _span(written: Any) -> timedelta:
    if isinstance(written, timedelta):
        return written
    found = WRITTEN.fullmatch(str(written).strip())
    if not found:
        raise ValueError(f"{written!r} is no span of time: write `30 minutes` or `3 days`")
    return timedelta(seconds=int(found[1]) * SECONDS[found[2]])


def in_words(span: timedelta) -> str:
    """Write a span in its largest whole unit."""
    seconds = int(span.total_seconds())
    unit, size = next(
        ((unit, size) for unit, size in reversed(SECONDS.items()) if seconds and seconds % size == 0), ("second", 1)
    )
    count = seconds // size
    return f"{count} {unit}{'' if count == 1 else 's'}"


Duration = Annotated[timedelta, BeforeValidator(_span), PlainSerializer(in_words)]


def moment(at: datetime) -> str:
    """Write a naive UTC timestamp as SQL."""
    return f"timestamp '{at:%Y-%m-%d %H:%M:%S.%f}'"


def interval(span: timedelta) -> str:
    """Write a span as SQL."""
    return f"interval '{int(span.total_seconds())} seconds'"
