"""Where the tables of ids are: in shared memory, because a write to a mapped file may wait for its disk.

Shared memory outlives a process, not a machine. So each worker also appends its fingerprints to a file, once a second
and beside the requests, and a table that is gone is filled again from there. A power cut costs the last second of them.
"""

import os
import secrets
import shutil
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

SHARED = Path("/dev/shm")  # noqa: S108 - in a folder that only its owner may enter
PREFIX = "cdp-ids-"
TOKEN, HOME = "token", "home"
SLOT = 8
NEEDED = 256 * 1024 * 1024  # free bytes of shared memory; containers often have 64 MB of it


def place(folder: Path, shared: Path = SHARED) -> Path:
    """Return where the tables of this folder are; a folder that was deleted and made again has new ones."""
    token = token_of(folder)
    fast = shared / f"{PREFIX}{token}"
    try:
        if not fast.exists():
            facts = os.statvfs(shared)
            if facts.f_bavail * facts.f_frsize < NEEDED:
                return folder
            forget_orphans(shared)
            fast.mkdir(mode=0o700, exist_ok=True)
        (fast / HOME).write_text(str(folder))
    except OSError:
        return folder
    return fast


def token_of(folder: Path) -> str:
    """Return the folder's own name, given to it once; two workers that begin together agree on one."""
    own = folder / f".{os.getpid()}"
    own.write_text(secrets.token_hex(8))
    with suppress(FileExistsError):
        os.link(own, folder / TOKEN)
    own.unlink()
    return (folder / TOKEN).read_text()


def forget_orphans(shared: Path) -> None:
    """Give back what belongs to folders that are no more."""
    for other in shared.glob(f"{PREFIX}*"):
        with suppress(OSError):
            token = Path((other / HOME).read_text()) / TOKEN
            if not token.exists() or token.read_text() != other.name.removeprefix(PREFIX):
                shutil.rmtree(other, ignore_errors=True)


class Journal:
    """The fingerprints of one worker, by day, in the order they came."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._waiting: list[tuple[int, Sequence[int]]] = []

    def add(self, day: int, marks: Sequence[int]) -> None:
        self._waiting.append((day, marks))

    def write(self) -> None:
        """Append what waits; called beside the event loop."""
        waiting, self._waiting = self._waiting, []
        for day in {day for day, _ in waiting}:
            with suppress(OSError), (self._folder / f"{day}-{self._name}.marks").open("ab") as file:
                file.write(array("Q", chain.from_iterable(marks for its, marks in waiting if its == day)))

    def knows(self, day: int) -> bool:
        return any(self._folder.glob(f"{day}-*.marks"))

    def read(self, day: int) -> Iterator[int]:
        """Yield every worker's fingerprints of a day; a torn last one is left out."""
        for file in self._folder.glob(f"{day}-*.marks"):
            data = file.read_bytes()
            yield from array("Q", data[: len(data) // SLOT * SLOT])

    def forget(self, before: int) -> None:
        for file in self._folder.glob("*.marks"):
            if int(file.name.partition("-")[0]) < before:
                file.unlink(missing_ok=True)
