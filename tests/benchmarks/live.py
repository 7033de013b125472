"""How live is live: `python -m tests.benchmarks.live [--profiles N] [--events N] [--json]`.

Ratios come from one run with both sides in turns: a micro-batch through the compiled SQL against a warm dbtRunner on
the same models, and the same batch on a tenth of the warehouse. Then the drain of a backlog, and how long single
events take from the log to every hot model at a steady rate. Before all that everything at once, see `live_answers`:
from an event's sending to the sandbox's yes, and the same while dbt builds run back to back.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dagster_cdp import dbt
from dagster_cdp.live.loop import SLICE, Loop
from sources.log.writer import Writer
from tests.benchmarks.live_answers import answered
from tests.benchmarks.live_world import LANE, build_history, log_folder, new_lines, open_loop, open_warehouse

WARM = ["--no-populate-cache", "--no-write-json"]


def main() -> None:
    arguments = parsed()
    measured: dict[str, Any] = {"profiles": arguments.profiles, "events": arguments.events}
    tenth = on_warehouse(arguments.profiles // 10, arguments.events // 10, lambda *world: costs(*world, arguments))
    measured["tenth"] = tenth
    measured |= on_warehouse(
        arguments.profiles,
        arguments.events,
        lambda *world: everything(*world, arguments),
        lambda: answered(arguments.profiles, arguments.rate, arguments.seconds),
    )
    measured["growth_with_warehouse"] = round(
        measured["direct_cpu_seconds"] / max(1e-9, tenth["direct_cpu_seconds"]), 2
    )
    print(
        json.dumps(measured) if arguments.json else "\n".join(f"{key:<28} {value}" for key, value in measured.items())
    )


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, default=20_000)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--batch", type=int, default=500, help="events of a micro-batch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--backlog", type=int, default=50_000)
    parser.add_argument("--rate", type=int, default=1_000, help="events a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def on_warehouse(
    profiles: int,
    events: int,
    measure: Callable[[Loop, Writer, int], dict[str, Any]],
    before: Callable[[], dict[str, Any]] = dict,
) -> dict[str, Any]:
    """Measure on a warehouse made for it, in a folder that is deleted after; `before` without any hold on it."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CDP_HOME"] = folder
        built = build_history(profiles, events)
        found = {"full_build_seconds": round(built, 1), **before()}
        connection = open_warehouse()
        writer = Writer(Path(log_folder()))
        try:
            return found | measure(open_loop(connection), writer, profiles)
        finally:
            writer.close()
            connection.close()


def everything(loop: Loop, writer: Writer, profiles: int, arguments: argparse.Namespace) -> dict[str, Any]:
    found = costs(loop, writer, profiles, arguments)
    found |= drain(loop, writer, profiles, arguments.backlog)
    return found | steady(loop, writer, profiles, arguments)


def costs(loop: Loop, writer: Writer, profiles: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """CPU and wall of a micro-batch by both runners, in turns on the same growing warehouse."""
    feed(loop, writer, profiles, arguments.batch)
    warm_dbt()
    sides: dict[str, list[tuple[float, float]]] = {"direct": [], "dbt_runner": []}
    models: dict[str, float] = {}
    for _ in range(arguments.rounds):
        writer.append_now(LANE, new_lines(arguments.batch, profiles))
        sides["direct"].append(timed(loop.once))
        models = dict(loop.reports[-1].model_seconds)
        land_only(loop, writer, profiles, arguments.batch)
        sides["dbt_runner"].append(timed(warm_dbt))
    found = {
        f"{side}_{kind}_seconds": round(statistics.median(pair[at] for pair in taken), 3)
        for side, taken in sides.items()
        for at, kind in enumerate(("wall", "cpu"))
    }
    ratio = found["direct_cpu_seconds"] / found["dbt_runner_cpu_seconds"]
    slowest = dict(sorted(models.items(), key=lambda item: -item[1])[:6])
    return {**found, "ratio": round(ratio, 2), "slowest": {name: round(took, 3) for name, took in slowest.items()}}


def feed(loop: Loop, writer: Writer, profiles: int, count: int) -> None:
    writer.append_now(LANE, new_lines(count, profiles))
    loop.once()


def land_only(loop: Loop, writer: Writer, profiles: int, count: int) -> None:
    """New rows in raw and nothing else, for dbt to find; the next cycle has nothing left to do of them."""
    writer.append_now(LANE, new_lines(count, profiles))
    prepared = loop.tail.prepare(SLICE)
    loop.connection.execute("begin transaction")
    loop.tail.land(prepared, loop.connection)
    loop.connection.execute("commit")
    loop.tail.committed(prepared)


def warm_dbt() -> None:
    outcome = dbt.invoke(["run", "--select", "tag:hot", *dbt.places(), *WARM], manifest=dbt.parsed())
    assert outcome.success, [result.message for result in outcome.result.results if result.status == "error"]


def timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def drain(loop: Loop, writer: Writer, profiles: int, backlog: int) -> dict[str, Any]:
    writer.append_now(LANE, new_lines(backlog, profiles))

    def until_empty() -> None:
        while loop.once() is not None:
            pass

    wall, cpu = timed(until_empty)
    return {"drain_events_per_second": round(backlog / wall), "drain_events_per_cpu_second": round(backlog / cpu)}


def steady(loop: Loop, writer: Writer, profiles: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Milliseconds from being written to the log until every hot model has it, by event."""
    loop.connection.execute("delete from ops.live_cycles")
    thread = threading.Thread(target=loop.run)
    thread.start()
    began, tick, written = time.monotonic(), 0.05, 0
    while (passed := time.monotonic() - began) < arguments.seconds:
        due = int(passed * arguments.rate) - written
        writer.append_now(LANE, new_lines(due, profiles) if due else [])
        written += due
        time.sleep(tick)
    time.sleep(2)
    loop.stop()
    thread.join()
    taken = [row[0] for row in loop.connection.execute(TAKEN).fetchall()]
    at = {f"p{percent}_milliseconds": taken[int(len(taken) * percent / 100)] for percent in (50, 95, 99)}
    return {"rate": arguments.rate, "measured_events": len(taken), **at, "max_milliseconds": taken[-1]}


TAKEN = """
select cast((epoch_us(cycles.decided_at) - epoch_us(events.received_at)) / 1000 as bigint)
from staging.stg_web_events__events as events
inner join ops.live_cycles as cycles on events._landed_at = cycles.rows_landed_at
order by 1
"""

if __name__ == "__main__":
    main()
