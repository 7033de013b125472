"""A batch is nice to cycles: its thread and those that it starts, and nobody else's."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dagster_cdp.live.aside import NICENESS, aside


def niceness():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only a whole process is nice")
def test_the_work_and_the_threads_it_starts_are_nice_and_the_asker_is_not():
    def work():
        with ThreadPoolExecutor(1) as one:
            return niceness(), one.submit(niceness).result()

    before = niceness()
    assert aside(work) == (NICENESS, NICENESS)
    assert niceness() == before < NICENESS


def test_what_the_work_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        aside(lambda: 1 // 0)
