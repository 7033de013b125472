"""When something happened, by our clock: a client's may be wrong."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

ON_THE_WAY = timedelta(seconds=2)
OURS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")  # as written below


def corrected(original: Any, sent: Any, received: Any) -> Any:
    """Return when it happened by our clock: as long before we got it as it was before it was sent; never later.

    A difference that is no more than the way here says nothing about clocks, and changes nothing.
    Text that is no moment stays as it is, and staging says so.
    """
    if original is None:
        return received
    happened, left, arrived = moment_of(original), moment_of(sent), moment_of(received)
    if happened is None or arrived is None:
        return original
    try:
        if left is not None and abs(arrived - left) > ON_THE_WAY:
            happened = arrived - (left - happened)
        elif happened <= arrived and isinstance(original, str) and OURS.fullmatch(original):
            return original
    except OverflowError:
        return original
    return min(happened, arrived).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_of(said: Any) -> datetime | None:
    """Return ISO text, or seconds or milliseconds since 1970, as a moment; null for anything else."""
    try:
        if isinstance(said, str):
            return _read(said)
        if isinstance(said, int | float) and not isinstance(said, bool):
            seconds = said / 1000 if said >= 1e11 else said  # noqa: PLR2004 - 1973 in milliseconds, 5138 in seconds
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return None
    return None


@lru_cache(maxsize=1024)  # the events of a request were sent and received in one moment
def _read(text: str) -> datetime:
    moment = datetime.fromisoformat(text.strip())
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
