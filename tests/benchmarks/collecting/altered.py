"""Our collector with another disk: one that syncs nothing, or one that is very slow.

usage: python -m tests.benchmarks.collecting.altered nothing|slow --port PORT
"""

import sys
import time

from sources.collector.__main__ import main as serve
from sources.log.disk import Disk

SLOW_SECONDS = 0.5


def main() -> None:
    kind = sys.argv.pop(1)
    Disk.sync = (lambda *_: None) if kind == "nothing" else (lambda *_: time.sleep(SLOW_SECONDS))
    serve()


if __name__ == "__main__":
    main()
