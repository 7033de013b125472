"""Work beside cycles: in a thread of its own, which gives way to them where cores are few."""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

NICENESS = 5  # of 19; a quarter of a core that somebody else wants is left to it, so that it ends


def aside(work: Callable[[], T]) -> T:
    """What `work` gives or raises. A thread cannot take back that it is nice, so it is not the asker's."""
    with ThreadPoolExecutor(1, "batch", initializer=_give_way) as one:
        return one.submit(work).result()


def _give_way() -> None:
    """Linux has a niceness for each thread, which those that it starts inherit; elsewhere it is the whole process's."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
