"""Running the scenes and saying what was seen, when."""

import json
from dataclasses import asdict

from rich.console import Console

from dagster_cdp.live_demo.scenes import DEADLINE, Answer, play
from dagster_cdp.live_demo.shoppers import choose
from dagster_cdp.live_demo.stage import TRIAL_WAIT, NoStage, stage
from dagster_cdp.warehouse import connect
from sources.configuration import read_configuration


def is_built() -> bool:
    """Whether the line has run on this warehouse. Raises NoStage where there can be no owner."""
    configuration = read_configuration()
    if configuration.target != "duckdb":
        raise NoStage("`cdp live` owns a DuckDB file: the demo of it runs with CDP_TARGET=duckdb")
    if not configuration.warehouse.exists():
        return False
    with connect("demo") as warehouse:
        found = warehouse.execute(
            "select 1 from information_schema.tables where table_schema = 'activation' and table_name = 'journal'"
        )
    return bool(found)


def show(*, as_json: bool) -> bool:
    """Play everything and print the clocks; whether all was answered in time."""
    console, answers = Console(stderr=True, highlight=False, soft_wrap=True), list[Answer]()
    console.print("Starting a collector, the owner of the warehouse and the sandboxes …")
    with stage(read_configuration()) as set_up:
        with connect("demo") as warehouse:
            cast = choose(warehouse)
        console.print("Live. From the event's sending to the sandbox's yes:")
        for answer in play(set_up, cast):
            answers.append(answer)
            console.print(_line(answer))
    if as_json:
        print(json.dumps({"answers": [asdict(answer) for answer in answers], "trial_wait_seconds": TRIAL_WAIT}))  # noqa: T201 - for machines
    return all(answer.seconds is not None for answer in answers)


def _line(answer: Answer) -> str:
    said = f"  {answer.did:<20} → {answer.seen:<38}"
    if answer.seconds is None:
        return f"{said} not within {DEADLINE:.0f} s"
    wait = f"  {answer.waited:.1f} s of it the trigger's wait" if answer.waited else ""
    return f"{said} {answer.seconds:5.2f} s{wait}"
