"""How fast a sync is, and what it costs, against a full re-send and a snapshot difference in pandas.

    python -m tests.benchmarks.sync [--rows 1000000] [--only engine hashed counted naive pandas] [--json]

Each contender runs alone in a process of its own, first on an audience nobody has sent, then after 1 % of it changed
(8 of 1,000 people changed, 1 left, 1 came), to a loopback server in another process that reads each request and
counts its rows, 10,000 a request.

engine  plan, guard, journal, deliver, record; consent asked again for each batch; who left is removed
hashed  the same, with identifiers normalised and hashed in Python by Meta's rules, once per person
counted the same with two identifiers, of which every two people share one: references are counted
naive   (a) everybody again, every time; nobody is ever removed
pandas  (b) the difference to a snapshot of the last run, in pandas; who left and what failed is not looked after

`plan` is the time until the difference is known (of a dry run, for the engine), `rows/s` what was sent in its time,
`CPU s` of the contender's process and `peak` its greatest resident memory. Other work on the machine shows in seconds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.sync_engine.town import build, edit

CONTENDERS = ("engine", "hashed", "counted", "naive", "pandas")
TARGETS = {"plan of a delta of 1 %, s": 3.0, "rows/s of a first sync": 20_000, "peak MiB": 600}


@contextmanager
def server() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.benchmarks.sync_engine.server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def measure(name: str, warehouse: Path, address: str) -> dict:
    """Measure a contender; the engine's dry run and its run are two processes, as they are two commands."""
    if name in {"engine", "hashed", "counted"}:
        dry, found = (run_alone(name, warehouse, address, what) for what in ("plan", "run"))
        found = {**found, "plan": dry["plan"], "peak_mib": max(dry["peak_mib"], found["peak_mib"])}
    else:
        found = run_alone(name, warehouse, address, str(warehouse.with_suffix(".parquet")))
    return {**found, "rows_per_second": found["sent"] / found["seconds"] if found["seconds"] else 0.0}


def run_alone(name: str, warehouse: Path, address: str, what: str) -> dict:
    command = [sys.executable, "-m", "tests.benchmarks.sync_engine.contenders", name, str(warehouse), address, what]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def race(rows: int, contenders: list[str]) -> dict:
    found: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as folder, server() as address:
        for name in contenders:
            warehouse = Path(folder) / f"{name}.duckdb"
            build(warehouse, rows)
            first = measure(name, warehouse, address)
            edit(warehouse)
            found[name] = {"first": first, "delta": measure(name, warehouse, address)}
            warehouse.unlink()
    return found


def show(rows: int, found: dict) -> None:
    print(f"{rows:,} rows\n")
    print("          run         sent   plan s  seconds   rows/s    CPU s  peak MiB")
    for name, runs in found.items():
        for run, one in runs.items():
            print(
                f"{name:9} {run:6} {one['sent']:9,} {one['plan']:8.2f} {one['seconds']:8.2f} "
                f"{one['rows_per_second']:8,.0f} {one['cpu']:8.2f} {one['peak_mib']:9,.0f}"
            )
    for name in ("naive", "pandas"):
        if name in found and "engine" in found:
            ours, theirs = found["engine"]["delta"], found[name]["delta"]
            print(
                f"\na delta costs {name} {theirs['seconds'] / ours['seconds']:.1f} × the time, "
                f"{theirs['cpu'] / ours['cpu']:.1f} × the CPU, "
                f"{theirs['peak_mib'] / ours['peak_mib']:.1f} × the memory and "
                f"{theirs['sent'] / ours['sent']:.0f} × the rows"
            )
    if "engine" in found:
        ours = found["engine"]
        peak = max(one["peak_mib"] for one in ours.values())
        reached = (ours["delta"]["plan"], ours["first"]["rows_per_second"], peak)
        print()
        for (target, limit), value in zip(TARGETS.items(), reached, strict=True):
            is_met = value >= limit if "rows/s" in target else value <= limit
            print(f"{target}: {value:,.1f} (target {limit:,.0f}){'' if is_met else '  MISSED'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    asked = parser.parse_args()
    found = race(asked.rows, asked.only)
    print(json.dumps({"rows": asked.rows, **found})) if asked.json else show(asked.rows, found)


if __name__ == "__main__":
    main()
