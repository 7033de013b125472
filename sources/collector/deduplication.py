"""Which message ids were taken in the last day: fingerprints in files that all workers of the machine share.

A table is 64-bit fingerprints in buckets of 16. A bucket that is full sends its newcomers to the next table, twice as large, so
nothing is forgotten before its time, and a look costs one small search per table. An id is remembered only after its line
is on disk: a crash between the two repeats an event, which staging drops; the other order would lose one.
"""

import mmap
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from xxhash import xxh3_64_digest

SLOT = 8
BUCKET = 16 * SLOT
FIRST_BUCKETS = 1 << 14  # 2 MB
PERIOD = 12 * 3600  # the present half day and the two before: 24 to 36 hours
KEPT_PERIODS = 3
EMPTY = bytes(SLOT)


def fingerprint(identity: bytes, seed: int) -> bytes:
    """The seed is the source's: two sources may use the same message id."""
    return xxh3_64_digest(identity, seed)


def seed_of(name: str) -> int:
    return int.from_bytes(xxh3_64_digest(name.encode()))


class Table:
    """One file of buckets, mapped into this process and every other worker's."""

    def __init__(self, file: Path, buckets: int) -> None:
        self.mask = buckets - 1
        with file.open("a+b") as opened:
            # All of it now: a write to a mapped hole on a full disk would kill the process.
            os.posix_fallocate(opened.fileno(), 0, buckets * BUCKET)
            self.memory = mmap.mmap(opened.fileno(), buckets * BUCKET)

    def has(self, mark: bytes) -> bool:
        start = (int.from_bytes(mark) & self.mask) * BUCKET
        return self.memory.find(mark, start, start + BUCKET) >= 0

    def add(self, mark: bytes) -> bool:
        """False if there is no room. Two processes may take one slot at once: an id is forgotten, no event is."""
        start = (int.from_bytes(mark) & self.mask) * BUCKET
        free = self.memory.find(EMPTY, start, start + BUCKET)
        if free < 0:
            return False
        free = (free + SLOT - 1) // SLOT * SLOT  # zeros at the end of a fingerprint aren't a slot
        if free >= start + BUCKET:
            return False
        self.memory[free : free + SLOT] = mark
        return True


class Memory:
    """All tables: three half days, each with as many as its ids need."""

    def __init__(self, folder: Path, remembered_ids: int, clock: Callable[[], float] = time.time) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._budget = remembered_ids * 2 * SLOT
        self._clock = clock
        self._tables: dict[tuple[int, int], Table] = {}
        self._period = 0
        self.search: list[Table] = []
        self._present: list[Table] = []
        self.turn()

    def turn(self) -> None:
        """Open what other workers began, forget what is older than the window or over the budget."""
        self._period = int(self._clock()) // PERIOD
        files = {keyed(file): file for file in self._folder.glob("*.ids")}
        for key in self._tables.keys() - files.keys():
            del self._tables[key]
        for key in files:
            if self._period - key[0] >= KEPT_PERIODS:
                self._forget(key)
            else:
                self._open(key)
        while self.size > self._budget and len(self._tables) > 1:
            self._forget(min(self._tables))
        self._look()

    def has(self, mark: bytes) -> bool:
        return any(table.has(mark) for table in self.search)

    def add(self, marks: Iterable[bytes]) -> None:
        """Remember what is on disk now. Without room for a table nothing is remembered: staging drops repeats too."""
        for mark in marks:
            if not any(table.add(mark) for table in self._present):
                self._grow(mark)

    def _grow(self, mark: bytes) -> None:
        number = max((number for period, number in self._tables if period == self._period), default=-1) + 1
        if table := self._open((self._period, number)):
            table.add(mark)
            self._look()

    def _look(self) -> None:
        self.search = [self._tables[key] for key in sorted(self._tables, reverse=True)]
        self._present = [self._tables[key] for key in sorted(self._tables) if key[0] == self._period]

    def _open(self, key: tuple[int, int]) -> Table | None:
        if key not in self._tables:
            try:
                self._tables[key] = Table(self._file(key), FIRST_BUCKETS << key[1])
            except (OSError, ValueError):
                return None
        return self._tables[key]

    def _forget(self, key: tuple[int, int]) -> None:
        self._tables.pop(key, None)
        self._file(key).unlink(missing_ok=True)

    def _file(self, key: tuple[int, int]) -> Path:
        return self._folder / f"{key[0]}-{key[1]}.ids"

    @property
    def size(self) -> int:
        return sum(len(table.memory) for table in self._tables.values())


def keyed(file: Path) -> tuple[int, int]:
    period, number = file.stem.split("-")
    return int(period), int(number)
