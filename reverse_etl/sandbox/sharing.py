"""One sandbox server for all who connect to it at the same time."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from reverse_etl.environment import home
from reverse_etl.sandbox.server import SandboxServer, running

_SHARED: dict[Path, tuple[ExitStack, SandboxServer, list[object]]] = {}  # by home; the last is who uses it
_SHARING = threading.Lock()


@contextmanager
def shared() -> Iterator[SandboxServer]:
    """The one server of this process, for as long as anybody is in such a block: lists are many, and each connects."""
    place, me = home(), object()
    with _SHARING:
        if place not in _SHARED:
            stack = ExitStack()
            _SHARED[place] = stack, stack.enter_context(running()), []
        stack, server, users = _SHARED[place]
        users.append(me)
    try:
        yield server
    finally:
        with _SHARING:
            users.remove(me)
            if not users:
                del _SHARED[place]
                stack.close()
