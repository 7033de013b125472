"""Connections that outlive the block they are opened in: triggers bring many short lists to one address."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

Opened = TypeVar("Opened")

_KEPT: ContextVar[tuple[ExitStack, dict[Hashable, Any]] | None] = ContextVar("kept open", default=None)


@contextmanager
def keeping_open() -> Iterator[None]:
    """What `once` opens in this block, in this thread, is open until its end."""
    with ExitStack() as stack:
        token = _KEPT.set((stack, {}))
        try:
            yield
        finally:
            _KEPT.reset(token)


@contextmanager
def once(key: Hashable, open_: Callable[[], AbstractContextManager[Opened]]) -> Iterator[Opened]:
    """Give what is open already under this key; outside of `keeping_open`, open it for this block alone."""
    if (kept := _KEPT.get()) is None:
        with open_() as opened:
            yield opened
        return
    stack, found = kept
    if key not in found:
        found[key] = stack.enter_context(open_())
    yield found[key]
