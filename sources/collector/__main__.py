"""`python -m sources.collector`: one worker, or several with a parent that looks after them."""

import argparse
import sys

from sources.collector.workers import collect
from sources.configuration import read_configuration
from sources.refusals import Refused


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sources.collector", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8097)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    try:
        collect(read_configuration(), given.host, given.port, given.workers)
    except Refused as error:
        sys.exit(f"collect: {error}")


if __name__ == "__main__":
    main()
