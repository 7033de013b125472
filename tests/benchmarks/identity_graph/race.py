"""Runs contenders by turns, each time in a new process, and compares what they cost."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[3]
MEASURES = ("cpu", "wall", "extra_mib")


def run_alone(module: str, *arguments: str) -> dict:
    finished = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.identity_graph.{module}", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if finished.returncode:
        raise RuntimeError(f"{module} {' '.join(arguments)}: {finished.stderr.strip()[-2000:]}")
    return json.loads(finished.stdout.splitlines()[-1])


def race(names: Sequence[str], links: Path, repeats: int) -> dict[str, dict]:
    """The median of each measure by contender; raises unless all partitions are equal."""
    runs: dict[str, list[dict]] = {name: [] for name in names}
    for turn in range(repeats):
        for name in names:
            print(f"  {name}, {turn + 1} of {repeats} …", file=sys.stderr)
            runs[name].append(run_alone("contenders", name, str(links)))
    digests = {tuple(run["digest"]) for tries in runs.values() for run in tries}
    if len(digests) != 1:
        raise AssertionError(f"partitions differ: { {name: tries[0]['digest'] for name, tries in runs.items()} }")
    return {name: medians(tries) for name, tries in runs.items()}


def medians(tries: list[dict]) -> dict:
    return {**tries[0], **{measure: statistics.median(run[measure] for run in tries) for measure in MEASURES}}


def against(found: dict[str, dict], winner: str) -> None:
    """Adds how many times the winner's cost each contender's is."""
    for result in found.values():
        for measure in MEASURES:
            result[f"times_{measure}"] = result[measure] / found[winner][measure]


def show(title: str, found: dict[str, dict]) -> None:
    print(f"\n{title}")
    print("                      CPU s   ×     wall s   ×     extra MiB   ×     rounds")
    for name, result in found.items():
        print(
            f"{name:18} {result['cpu']:9.2f} {result['times_cpu']:6.2f} {result['wall']:9.2f}"
            f" {result['times_wall']:6.2f} {result['extra_mib']:10,.0f} {result['times_extra_mib']:6.2f}"
            f" {result.get('rounds', ''):>9}"
        )
