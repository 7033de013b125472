"""What an event costs that is on disk before it is acknowledged, against a server in C that does nothing else.

    python -m tests.benchmarks.collector [--seconds 5] [--rounds 3] [--json]

C        epoll, append the body, one fdatasync for all that came meanwhile, answer: what this machine can do at all
ours     `cdp collect`: key, sizes, JSON, consent, bots, message ids, envelope; and the same durability
no sync  ours without fdatasync: what durability costs

Events are about 1 KB, alone (256 connections) or 100 in a request (16). Each server has one core, the load generator
the other; contenders take turns, and medians are shown. `events/CPU s` is per second of the server's own CPU. Ratios
hold on other machines; seconds depend on the disk and on who else uses it.

Then ours on a disk whose every sync takes half a second, with 500 connections sending batches: what is refused, and
how far its memory rises.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from tests.benchmarks.collecting.contenders import compiled, load, running
from tests.benchmarks.collecting.traffic import write_request

CONTENDERS = ("C", "ours", "no sync")
SHAPES = {"single": (1, 256), "100 in a batch": (100, 16)}
TARGETS = {"ours / C": 0.15, "durable / not": 0.75}
CROWD = 500


def measure(folder: Path, rounds: int, seconds: float) -> dict:
    """Return the figures of every contender and shape, one entry a round."""
    for name in ("limit", "load"):
        compiled(name, folder)
    requests = {name: write_request(folder / f"{events}.request", events) for name, (events, _) in SHAPES.items()}
    found: dict = defaultdict(list)
    for turn in range(rounds):
        for name in CONTENDERS:
            with running(name, folder / f"{name}-{turn}", folder) as server:
                for shape, (events, clients) in SHAPES.items():
                    told = load(folder, server, requests[shape], clients, seconds)
                    taken = told["requests"] * events
                    told |= {"events_per_second": taken / told["seconds"], "per_cpu_second": taken / told["cpu"]}
                    found[name, shape].append({**told, "peak_mib": server.peak_mib})
            print(".", end="", file=sys.stderr, flush=True)
    return found


def summarise(found: dict) -> tuple[list[dict], dict]:
    """Return medians, and the ratios that are promised."""
    rows = [
        {"server": name, "shape": shape, **{key: statistics.median(turn[key] for turn in turns) for key in turns[0]}}
        for (name, shape), turns in found.items()
    ]
    at = {(row["server"], row["shape"]): row["per_cpu_second"] for row in rows}
    ratios = {
        **{f"ours / C, {shape}": at["ours", shape] / at["C", shape] for shape in SHAPES},
        **{f"durable / not, {shape}": at["ours", shape] / at["no sync", shape] for shape in SHAPES},
    }
    return rows, ratios


def growth(folder: Path, seconds: float) -> float:
    """Return what an event costs at the end of a log of some gigabytes, against its beginning."""
    with running("ours", folder / "growing", folder) as server:
        costs = []
        for _ in range(8):
            told = load(folder, server, folder / "100.request", 16, seconds)
            costs.append(told["cpu"] / told["requests"])
    return statistics.median(costs[-3:]) / statistics.median(costs[1:4])


def pressure(folder: Path, seconds: float) -> dict:
    """Return what a disk that is far too slow does to memory, and to those who send."""
    with running("slow disk", folder / "slow", folder) as server:
        calm = server.anonymous_mib
        told = load(folder, server, folder / "100.request", CROWD, seconds)
        first = server.anonymous_mib
        load(folder, server, folder / "100.request", CROWD, seconds)
        return {
            "taken": told["requests"], "refused": told["refused"], "mib_before": calm, "mib_first": first,
            "mib_twice_as_long": server.anonymous_mib,
        }  # fmt: skip


def report(rows: list[dict], ratios: dict, grown: float, pressed: dict) -> None:
    print(f"\n{'':10}{'':16}{'events/s':>10}{'events/CPU s':>14}{'p50 ms':>9}{'p99 ms':>9}{'peak MiB':>10}")
    for row in sorted(rows, key=lambda row: (list(SHAPES).index(row["shape"]), CONTENDERS.index(row["server"]))):
        print(
            f"{row['server']:10}{row['shape']:16}{row['events_per_second']:>10,.0f}{row['per_cpu_second']:>14,.0f}"
            f"{row['p50_ms']:>9.1f}{row['p99_ms']:>9.1f}{row['peak_mib']:>10.0f}"
        )
    for name, ratio in ratios.items():
        target = TARGETS[name.split(",")[0]]
        print(f"{name:32}{ratio:8.2f}   at least {target} {'' if ratio >= target else '   MISSED'}")
    print(f"{'CPU of an event, late / early':32}{grown:8.2f}")
    print(
        f"half a second per sync: {pressed['taken']} requests taken, {pressed['refused']} answered 429; "
        f"anonymous memory {pressed['mib_before']:.0f} MiB before, {pressed['mib_first']:.0f} under it, "
        f"{pressed['mib_twice_as_long']:.0f} after twice the time"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=".") as folder:
        place = Path(folder).resolve()
        rows, ratios = summarise(measure(place, given.rounds, given.seconds))
        grown, pressed = growth(place, given.seconds), pressure(place, given.seconds)
    if given.json:
        print(json.dumps({"servers": rows, "ratios": ratios, "late_to_early": grown, "pressure": pressed}))
    else:
        report(rows, ratios, grown, pressed)


if __name__ == "__main__":
    main()
