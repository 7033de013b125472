"""How fast identities are resolved, against others on the same links, in ratios of one run of this benchmark.

    python -m tests.benchmarks.identity [--links 1000000 10000000 50000000] [--only 1 4] [--repeats 3] [--json]

1  connected components of the macro against Splink 5, a union-find in C (the floor) and networkx
4  from text: the macro with its encoding against hops of the smallest label (dbt-id-stitching)
5  a sorted chain of 2,000 ids: rounds

Every contender runs alone in a new process, by turns, and its partition must equal the others'. Costs are
medians: CPU of all its threads, wall time, and memory: the high-water mark of resident memory, reset once
the links are loaded, less what was resident then. The macro runs inside dbt: rendering and sending each
statement counts, starting dbt doesn't. It needs splink and networkx, a C compiler and Linux.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.identity_graph.graph import make, make_chain
from tests.benchmarks.identity_graph.race import against, race, show
from tests.benchmarks.identity_graph.text_keys import make_text

NETWORKX_LIMIT = 10_000_000  # above, its graph doesn't fit into the memory of a small machine
CHAIN = 2000


def components(folder: Path, sizes: Sequence[int], repeats: int) -> dict:
    found = {}
    for size in sizes:
        names = ["macro", "splink", "c"]
        links = links_of(folder, size)
        result = race(names, links, repeats)
        if size <= NETWORKX_LIMIT:
            slow = race(["macro", "networkx"], links, 1)
            if slow["networkx"]["digest"] != result["macro"]["digest"]:
                raise AssertionError("networkx found another partition")
            result["networkx"] = slow["networkx"]
        against(result, "macro")
        show(f"1  {size:,} links, grouped", result)
        found[size] = result
    return found


def from_text(folder: Path, sizes: Sequence[int], repeats: int) -> dict:
    size = min(sizes)
    links = make_text(folder / "text.duckdb", links_of(folder, size))
    result = {**race(["text"], links, repeats), **race(["hops"], links, 1)}
    if result["text"]["digest"] != result["hops"]["digest"]:
        raise AssertionError("hops found another partition")
    against(result, "text")
    show(f"4  {size:,} links of text, encoded and grouped (rounds of hops: runs of three)", result)
    return {size: result}


def chain(folder: Path, _sizes: Sequence[int], _repeats: int) -> dict:
    result = race(["macro", "splink"], make_chain(folder / "chain.duckdb", CHAIN), 1)
    against(result, "macro")
    show(f"5  a sorted chain of {CHAIN:,} ids (2 × log2 = {2 * math.log2(CHAIN):.0f} rounds at most)", result)
    return {CHAIN: result}


PARTS = {1: components, 4: from_text, 5: chain}


def links_of(folder: Path, size: int) -> Path:
    path = folder / f"links_{size}.duckdb"
    if not path.exists():
        print(f"{size:,} links are made …", file=sys.stderr)
        make(path, size)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--links", type=int, nargs="+", default=[1_000_000, 10_000_000, 50_000_000])
    parser.add_argument("--only", type=int, nargs="+", choices=PARTS, default=list(PARTS), help="parts to run")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="all figures, after the tables")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {part: PARTS[part](Path(folder), arguments.links, arguments.repeats) for part in arguments.only}
    if arguments.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
