"""Which message ids were taken in the last day: fingerprints in tables that all workers of the machine share.

A day has one table, two are searched: 24 to 48 hours. A table is 64-bit fingerprints at a place that they name, or in
one of the 15 after it; where all are taken the next table, twice as large, takes over, so that nothing is forgotten
before its time. An id is remembered only after its line is on disk: a crash between the two repeats an event, which
staging drops; the other order would lose one.
"""

import mmap
import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from sources.collector.marks import SLOT, Journal, place

WINDOW = 16  # slots
SAMPLE = 512  # slots looked at to say how full a table is
FILLED = 2  # slots for an id: half of them stay free
DAY = 24 * 3600
Marks = npt.NDArray[np.uint64]
MANY = 16  # from here on it is faster to look at all at once
Key = tuple[int, int]  # the day, and the table's number in it


fingerprint = xxh3_64_intdigest  # of an id's bytes; the seed is the source's: two sources may use the same message id


def seed_of(name: str) -> int:
    return xxh3_64_intdigest(name.encode())


class Table:
    """One piece of memory, mapped into this process and every other worker's. Empty slots are 0, the last always."""

    def __init__(self, file: Path, slots: int) -> None:
        size = (slots + WINDOW + 1) * SLOT
        with file.open("a+b") as opened:
            # All of it now: a write to a mapped hole on a full disk would kill the process.
            os.posix_fallocate(opened.fileno(), 0, size)
            self.slots = memoryview(mmap.mmap(opened.fileno(), size)).cast("Q")
        self.array: Marks = np.frombuffer(self.slots, np.uint64)
        self.mask = slots - 1

    def add(self, mark: int) -> bool:
        """False if there is no room. Two processes may take one slot at once: an id is forgotten, no event is."""
        slots, at = self.slots, mark & self.mask
        for slot in range(at, at + WINDOW):
            if not slots[slot]:
                slots[slot] = mark
                return True
        return False

    def add_free(self, marks: Marks) -> Marks:
        """Add those whose own place is free, all at once; return the others."""
        at = marks & np.uint64(self.mask)
        free = self.array[at] == 0
        self.array[at[free]] = marks[free]
        missing: Marks = marks[self.array[at] != marks]
        return missing

    def occupied(self, marks: Marks) -> Marks:
        """Return those whose place is taken: only they can be known here."""
        found: Marks = marks[self.array[marks & np.uint64(self.mask)] != 0]
        return found

    def is_crowded(self) -> bool:
        """Whether more than half is taken, by a sample: other workers fill it too."""
        return sum(1 for mark in self.slots[:: max(1, len(self.slots) // SAMPLE)] if mark) > SAMPLE // FILLED


class Memory:
    """The tables of today and yesterday. `ids_a_day` is what one holds at ease; `bytes_kept` bounds them all."""

    def __init__(
        self, folder: Path, ids_a_day: int, bytes_kept: int = 1 << 30, clock: Callable[[], float] = time.time
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = place(folder)
        self._journal = Journal(folder)
        self._slots = 1 << max(10, (ids_a_day * FILLED - 1).bit_length())
        self._bytes_kept = bytes_kept
        self._clock = clock
        self._tables: dict[Key, Table] = {}
        self._day = -1
        self._search: list[tuple[memoryview, int]] = []
        self._in_use: Table | None = None
        self.turn()
        self._recall(self._day - 1)
        self._recall(self._day)

    def turn(self) -> None:
        """Open what other workers began, forget what is older than the window or over the budget."""
        day, before = int(self._clock()) // DAY, self._day
        self._day = day
        files = {keyed(file) for file in self._folder.glob(f"{self._slots}-*.ids")}
        for key in self._tables.keys() - files:
            del self._tables[key]
        for key in files:
            if day - key[0] > 1:
                self._forget(key)
            else:
                self._open(key)
        if before not in (day, -1):
            self._open((day, 0))
            self._journal.forget(day - 1)
        if (newest := self._newest(day)) and newest.is_crowded():
            self._grown(day)
        while self.size > self._bytes_kept and len(self._tables) > 1:
            self._forget(min(self._tables))
        self._look()

    def has(self, mark: int) -> bool:
        for slots, mask in self._search:
            at = mark & mask
            while found := slots[at]:
                if found == mark:
                    return True
                at += 1
        return False

    def known(self, marks: Sequence[int]) -> set[int]:
        """Return those of many that are known: their places are fetched at once, which is what takes the time."""
        asked = np.fromiter(marks, np.uint64, len(marks))
        maybe = {mark for table in self._tables.values() for mark in table.occupied(asked).tolist()}
        return {mark for mark in maybe if self.has(mark)}

    def add(self, marks: Sequence[int]) -> None:
        """Remember what is on disk now. Without room for a table nothing is remembered: staging drops repeats too."""
        if self._in_use and len(marks) >= MANY:
            rest = self._in_use.add_free(np.fromiter(marks, np.uint64, len(marks))).tolist()
            self._enter(self._day, rest)
        else:
            self._enter(self._day, marks)
        self._journal.add(self._day, marks)

    def keep(self) -> None:
        """Write down what was added, against the end of the machine."""
        self._journal.write()

    def _enter(self, day: int, marks: Iterable[int]) -> None:
        table = self._in_use if day == self._day else self._newest(day)
        for mark in marks:
            while table and not table.add(mark):
                table = self._grown(day)

    def _newest(self, day: int) -> Table | None:
        return self._tables.get(max((key for key in self._tables if key[0] == day), default=(day, 0)))

    def _grown(self, day: int) -> Table | None:
        number = max((number for its, number in self._tables if its == day), default=-1) + 1
        table = self._open((day, number))
        self._look()
        return table

    def _recall(self, day: int) -> None:
        """Fill the tables of a day that are not there; nobody restarted only this process then, but the machine."""
        if (day, 0) in self._tables or (day != self._day and not self._journal.knows(day)):
            return
        self._open((day, 0))
        self._look()
        self._enter(day, (mark for mark in self._journal.read(day) if not self.has(mark)))

    def _look(self) -> None:
        tables = [self._tables[key] for key in sorted(self._tables, reverse=True)]
        self._search = [(table.slots, table.mask) for table in tables]
        self._in_use = self._newest(self._day)

    def _open(self, key: Key) -> Table | None:
        if key not in self._tables:
            try:
                self._tables[key] = Table(self._file(key), self._slots << key[1])
            except (OSError, ValueError):
                return None
        return self._tables[key]

    def _forget(self, key: Key) -> None:
        self._tables.pop(key, None)
        self._file(key).unlink(missing_ok=True)

    def _file(self, key: Key) -> Path:
        return self._folder / f"{self._slots}-{key[0]}-{key[1]}.ids"

    @property
    def size(self) -> int:
        return sum(table.slots.nbytes for table in self._tables.values())


def keyed(file: Path) -> Key:
    """Return the day and the number that a table's name tells."""
    _, day, number = file.stem.split("-")
    return int(day), int(number)
