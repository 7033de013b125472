"""Who wants to hear how far a long run is: the terminal of `cdp demo`, or nobody.

Dagster's own log keeps the record; this only tells the person who waits.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str, str], None]
_listeners: list[Listener] = []


def say(stage: str, what: str) -> None:
    """Tell whoever listens that `stage` is now at `what` (a name or a count, never a value)."""
    for listener in _listeners:
        listener(stage, what)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
