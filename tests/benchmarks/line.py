"""How fast the line moves rows, and how a second, unchanged run scales: 1, 4 and 16 times a demo.

    python -m tests.benchmarks.line [--households 600] [--sizes 1 4 16] [--json]

Each size is a fresh home; both runs are whole processes, start-up included. Two ratios judge it, both
from the same run of this benchmark: rows per second against those of reading and writing the same
files with DuckDB alone (the physical limit, no dlt, dbt or Dagster), and the unchanged run at each size
against the unchanged run at the smallest: 1.0 means that work doesn't grow with what exists.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

ROOT = Path(__file__).parents[2]
READERS = {".csv": "read_csv({}, all_varchar=true)", ".jsonl": "read_json_objects({}, format='newline_delimited')"}


def measure(households: int, size: int) -> dict[str, float]:
    """Seconds of both runs, and rows per second of the line and of DuckDB alone."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        environment = {
            **os.environ, "CDP_HOME": folder, "CDP_WAREHOUSE": f"{folder}/warehouse.duckdb",
            "CDP_INBOX": f"{folder}/inbox", "DAGSTER_HOME": f"{folder}/dagster", "CDP_TARGET": "duckdb",
        }  # fmt: skip
        build = f"from dagster_cdp.inbox import build_demo; build_demo(households={households}, scale={size})"
        subprocess.run([sys.executable, "-c", build], env=environment, cwd=ROOT, check=True)
        limit_seconds = copy_plainly(home / "inbox")
        first, first_seconds = run_line(environment)
        second, second_seconds = run_line(environment)
    rows = sum(first["loaded"].values())
    assert sum(second["loaded"].values()) == second["changes_sent"] == 0
    return {
        "rows": rows,
        "first_seconds": first_seconds,
        "rows_per_second": rows / first_seconds,
        "duckdb_alone_rows_per_second": rows / limit_seconds,
        "unchanged_seconds": second_seconds,
    }


def copy_plainly(inbox: Path) -> float:
    """Read every file and write it as a table, with nothing in between; seconds."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(f"{folder}/plain.duckdb") as connection:
        for table in sorted(inbox.glob("*/*")):
            kind = next(table.iterdir()).suffix
            reader = READERS[kind].format(f"'{table}/*{kind}'")
            connection.execute(f"create table {table.parent.name}__{table.name} as select * from {reader}")
    return time.perf_counter() - began


def run_line(environment: dict[str, str]) -> tuple[dict, float]:
    began = time.perf_counter()
    finished = subprocess.run(
        [sys.executable, "-m", "dagster_cdp.cli", "run", "--json"],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(finished.stdout), time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, default=600, help="of the smallest size (default 600)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 4, 16], help="times the smallest")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = {}
    for size in arguments.sizes:
        print(f"{size} × {arguments.households} households …", file=sys.stderr)
        found[size] = measure(arguments.households, size)
    smallest = found[arguments.sizes[0]]
    for result in found.values():
        result["share_of_duckdb_alone"] = result["rows_per_second"] / result["duckdb_alone_rows_per_second"]
        result["unchanged_against_smallest"] = result["unchanged_seconds"] / smallest["unchanged_seconds"]
    if arguments.json:
        print(json.dumps(found))
        return
    print("   ×      rows  first s   rows/s  of DuckDB alone  unchanged s  against ×1")
    for size, r in found.items():
        print(
            f"{size:4} {r['rows']:9,} {r['first_seconds']:8.1f} {r['rows_per_second']:8,.0f} "
            f"{r['share_of_duckdb_alone']:16.1%} {r['unchanged_seconds']:12.1f} {r['unchanged_against_smallest']:11.2f}"
        )


if __name__ == "__main__":
    main()
