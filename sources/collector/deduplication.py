"""Which message ids were taken in the last day: fingerprints in files that all workers of the machine share.

A day has one table, two are searched: 24 to 48 hours. A table is 64-bit fingerprints at a place that they name, or in
one of the 15 after it; where all are taken the next table, twice as large, takes over, so that nothing is forgotten
before its time. An id is remembered only after its line is on disk: a crash between the two repeats an event, which
staging drops; the other order would lose one.
"""

import mmap
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from xxhash import xxh3_64_digest

SLOT = 8
WINDOW = 16 * SLOT
FILLED = 2  # slots for an id: half of them stay free
PERIOD = 24 * 3600
EMPTY = bytes(SLOT)


def fingerprint(identity: bytes, seed: int) -> bytes:
    """The seed is the source's: two sources may use the same message id."""
    return xxh3_64_digest(identity, seed)


def seed_of(name: str) -> int:
    return int.from_bytes(xxh3_64_digest(name.encode()))


class Table:
    """One file, mapped into this process and every other worker's."""

    def __init__(self, file: Path, slots: int) -> None:
        size = slots * SLOT + WINDOW
        with file.open("a+b") as opened:
            # All of it now: a write to a mapped hole on a full disk would kill the process.
            os.posix_fallocate(opened.fileno(), 0, size)
            self.memory = mmap.mmap(opened.fileno(), size)
        self._mask = (slots - 1) * SLOT
        self._find = self.memory.find

    def has(self, mark: bytes) -> bool:
        start = int.from_bytes(mark) & self._mask
        return self._find(mark, start, start + WINDOW) >= 0

    def add(self, mark: bytes) -> bool:
        """False if there is no room. Two processes may take one slot at once: an id is forgotten, no event is."""
        start = int.from_bytes(mark) & self._mask
        end = start + WINDOW
        free = self._find(EMPTY, start, end)
        free = (free + SLOT - 1) // SLOT * SLOT  # zeros at the end of a fingerprint aren't a slot
        if free < start or free >= end:
            return False
        self.memory[free : free + SLOT] = mark
        return True


class Memory:
    """The tables of today and yesterday. `ids_a_day` is what one table holds at ease; `bytes_kept` bounds them all."""

    def __init__(
        self, folder: Path, ids_a_day: int, bytes_kept: int = 1 << 31, clock: Callable[[], float] = time.time
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._slots = 1 << max(10, (ids_a_day * FILLED - 1).bit_length())
        self._bytes_kept = bytes_kept
        self._clock = clock
        self._tables: dict[tuple[int, int], Table] = {}
        self._period = 0
        self._search: list[Table] = []
        self._present: list[Table] = []
        self.turn()

    def turn(self) -> None:
        """Open what other workers began, forget what is older than the window or over the budget."""
        self._period = int(self._clock()) // PERIOD
        files = {keyed(file) for file in self._folder.glob(f"{self._slots}-*.ids")}
        for key in self._tables.keys() - files:
            del self._tables[key]
        for key in files | {(self._period, 0)}:
            if self._period - key[0] > 1:
                self._forget(key)
            else:
                self._open(key)
        while self.size > self._bytes_kept and len(self._tables) > 1:
            self._forget(min(self._tables))
        self._look()

    def has(self, mark: bytes) -> bool:
        for table in self._search:  # noqa: SIM110 - the hottest line here; `any` would take twice as long
            if table.has(mark):
                return True
        return False

    def add(self, marks: Iterable[bytes]) -> None:
        """Remember what is on disk now. Without room for a table nothing is remembered: staging drops repeats too."""
        for mark in marks:
            for table in self._present:
                if table.add(mark):
                    break
            else:
                self._grow(mark)

    def _grow(self, mark: bytes) -> None:
        number = max((number for period, number in self._tables if period == self._period), default=-1) + 1
        if table := self._open((self._period, number)):
            table.add(mark)
            self._look()

    def _look(self) -> None:
        self._search = [self._tables[key] for key in sorted(self._tables, reverse=True)]
        self._present = [self._tables[key] for key in sorted(self._tables) if key[0] == self._period]

    def _open(self, key: tuple[int, int]) -> Table | None:
        if key not in self._tables:
            try:
                self._tables[key] = Table(self._file(key), self._slots << key[1])
            except (OSError, ValueError):
                return None
        return self._tables[key]

    def _forget(self, key: tuple[int, int]) -> None:
        self._tables.pop(key, None)
        self._file(key).unlink(missing_ok=True)

    def _file(self, key: tuple[int, int]) -> Path:
        return self._folder / f"{self._slots}-{key[0]}-{key[1]}.ids"

    @property
    def size(self) -> int:
        return sum(len(table.memory) for table in self._tables.values())


def keyed(file: Path) -> tuple[int, int]:
    """Return the day and the number that a table's name tells."""
    _, period, number = file.stem.split("-")
    return int(period), int(number)
