"""What waits for the disk: bounded in bytes, taken all at once, answered all at once."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass

from sources.log.refusals import LogBusy, LogFailed

Answer = Exception | None
Answered = Callable[[Answer], None]


@dataclass(slots=True)
class Waiting:
    """Lines for one lane, and what is called once they are on disk or refused: on its event loop, or at once."""

    lane: str
    data: bytes
    lines: int
    answered: Answered
    loop: asyncio.AbstractEventLoop | None = None
    answer: Answer = None


class Queue:
    """Takes what fits in memory, and hands over everything there is."""

    def __init__(self, bytes_held: int) -> None:
        self._limit = bytes_held
        self._held = 0
        self._items: list[Waiting] = []
        self._changed = threading.Condition()
        self._closed = False

    @property
    def bytes_held(self) -> int:
        return self._held

    def put(self, waiting: Waiting) -> None:
        size = len(waiting.data)
        with self._changed:
            if self._closed:
                raise LogFailed("the log is closed")
            if self._held and self._held + size > self._limit:
                raise LogBusy(f"{self._held} bytes are waiting for the disk")
            self._held += size
            self._items.append(waiting)
            self._changed.notify()

    def take(self, patience: float | None) -> list[Waiting]:
        """Return all that waits; after `patience` seconds, or once closed, that may be nothing."""
        with self._changed:
            if not self._items and not self._closed:
                self._changed.wait(patience)
            taken, self._items = self._items, []
            return taken

    def release(self, taken: Sequence[Waiting]) -> None:
        with self._changed:
            self._held -= sum(len(waiting.data) for waiting in taken)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def is_done(self) -> bool:
        with self._changed:
            return self._closed and not self._items


def answer_all(group: Sequence[Waiting]) -> None:
    """Wake everyone of a group; each event loop is called once."""
    loops: dict[asyncio.AbstractEventLoop, list[Waiting]] = {}
    for waiting in group:
        if waiting.loop is None:
            _answer([waiting])
        else:
            loops.setdefault(waiting.loop, []).append(waiting)
    for loop, members in loops.items():
        with suppress(RuntimeError):  # the loop ended; nobody is left to be told
            loop.call_soon_threadsafe(_answer, members)


def _answer(members: Sequence[Waiting]) -> None:
    for waiting in members:
        try:
            waiting.answered(waiting.answer)
        except Exception as fault:  # noqa: BLE001 - one who can't be told doesn't keep the others waiting
            if waiting.loop:
                waiting.loop.call_exception_handler({"message": "an answer of the log", "exception": fault})


def settle(future: "asyncio.Future[None] | Future[None]", answer: Answer) -> None:
    """Answer whoever waits for a future."""
    if future.done():  # cancelled: the client hung up, its lines count nevertheless
        return
    if answer is None:
        future.set_result(None)
    else:
        future.set_exception(answer)
