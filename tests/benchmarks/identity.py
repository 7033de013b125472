"""How fast identities are resolved, against others on the same links, in ratios of one run of this benchmark.

    python -m tests.benchmarks.identity [--links 1000000 10000000 50000000] [--only 1 4] [--repeats 3] [--json]

1  connected components of the macro against Splink 5, a union-find in C (the floor) and networkx
2  the whole resolver with the limits of the project's seed against none
3  batches of 0.01 %, 0.1 % and 1 % of the links against resolving everything; rows that differ; how far it reached; and
   how much of the CPU plain SQL needs for reading alone what the batch reaches, once: the rest is deciding
4  from text: the macro with its encoding against hops of the smallest label (dbt-id-stitching)
5  a sorted chain of 2,000 ids: rounds

Every contender runs alone in a new process, by turns, and its partition must equal the others'. Costs are
medians: CPU of all its threads, wall time, and memory: the high-water mark of resident memory, reset once
the links are loaded, less what was resident then. The macro and the resolver run inside dbt: rendering and
sending each statement counts, starting dbt doesn't. It needs splink and networkx, a C compiler and Linux.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.identity_graph.graph import make, make_chain
from tests.benchmarks.identity_graph.race import against, medians, race, run_alone, show
from tests.benchmarks.identity_graph.text_keys import make_text

NETWORKX_LIMIT = 10_000_000  # above, its graph doesn't fit into the memory of a small machine
CHAIN = 2000
ABSOLUTE = 10_000


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


def protection(folder: Path, sizes: Sequence[int], repeats: int) -> dict:
    found = {}
    for size in sizes:
        warehouse = graph_of(folder, size)
        runs: dict[str, list[dict]] = {"free": [], "full": []}
        for which in list(runs) * repeats:
            runs[which].append(run_alone("resolver", which, warehouse))
        result = {which: medians(tries) for which, tries in runs.items()}
        against(result, "free")
        show(f"2  {size:,} links resolved: without limits (free), with them (full)", result)
        biggest = ", ".join(f"{which} {one['biggest']:,}" for which, one in result.items())
        print(f"   largest profile, identifiers: {biggest}")
        found[size] = result
    return found


def increments(folder: Path, sizes: Sequence[int], repeats: int) -> dict:
    """The last batch of each size is 10,000 pairs, so that graphs of different sizes can be compared."""
    found = {}
    for size in sizes:
        warehouse = graph_of(folder, size)
        run_alone("resolver", "full", warehouse)
        batch, result = 1, {}
        for pairs in [*(int(size * share) for share in (0.0001, 0.001, 0.01)), ABSOLUTE]:
            tries = []
            for _ in range(repeats):
                batch += 1
                tries.append(one_batch(warehouse, pairs, batch))
            full = run_alone("resolver", "full", warehouse)
            result[pairs] = {
                **medians(tries),
                "reading": statistics.median(one["reading"] for one in tries),
                "deciding": statistics.median(one["cpu"] - one["reading"] for one in tries),
                **run_alone("resolver", "differing", warehouse, str(batch)),
                "full": full,
            }
        show_increments(size, result)
        found[size] = result
    return found


def one_batch(warehouse: str, pairs: int, batch: int) -> dict:
    told = run_alone("resolver", "tell", warehouse, str(pairs), str(batch))
    reading = run_alone("resolver", "read", warehouse, str(batch))["cpu"]
    return {**run_alone("resolver", "batch", warehouse), **told, "reading": reading}


def show_increments(size: int, result: dict[int, dict]) -> None:
    print(f"\n3  {size:,} links, one more batch")
    print(
        "    pairs    CPU s  reading  deciding   wall s  extra MiB  full is × CPU  × wall  in scope  changed  differing"
    )
    for pairs, one in result.items():
        full = one["full"]
        one["full_times_cpu"], one["full_times_wall"] = full["cpu"] / one["cpu"], full["wall"] / one["wall"]
        print(
            f"{pairs:9,} {one['cpu']:8.2f} {one['reading']:8.2f} {one['deciding']:9.2f} {one['wall']:8.2f}"
            f" {one['extra_mib']:10,.0f} {one['full_times_cpu']:14.1f} {one['full_times_wall']:7.1f}"
            f" {one['scope']:9,} {one['changed']:8,} {one['differing']:10,}"
        )
        if one["differing"]:
            raise AssertionError(f"{one['differing']:,} rows differ from a full resolution")


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


PARTS = {1: components, 2: protection, 3: increments, 4: from_text, 5: chain}


def links_of(folder: Path, size: int) -> Path:
    path = folder / f"links_{size}.duckdb"
    if not path.exists():
        print(f"{size:,} links are made …", file=sys.stderr)
        make(path, size)
    return path


def graph_of(folder: Path, size: int) -> str:
    """A new warehouse: what it was told before would be part of the next measurement."""
    warehouse = folder / "warehouse.duckdb"
    warehouse.unlink(missing_ok=True)
    run_alone("resolver", "make", str(warehouse), str(links_of(folder, size)))
    return str(warehouse)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--links", type=int, nargs="+", default=[1_000_000, 10_000_000, 50_000_000])
    parser.add_argument(
        "--folder", type=Path, help="where the graphs are made and removed again (9 GB at 50 million links)"
    )
    parser.add_argument("--only", type=int, nargs="+", choices=PARTS, default=list(PARTS), help="parts to run")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="all figures, after the tables")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        found = {part: PARTS[part](Path(folder), arguments.links, arguments.repeats) for part in arguments.only}
    if arguments.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
