"""`cdp identity train` and `report`: what likeness is worth, learnt and looked at."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from reverse_etl.environment import home


class Model(StrEnum):
    """As people say it; `names` is as the seeds say it."""

    PEOPLE = "people"
    DEVICES = "devices"
    ALL = "all"

    @property
    def names(self) -> tuple[str, ...]:
        return {"people": ("person",), "devices": ("device",), "all": ("person", "device")}[self.value]


WhichModel = Annotated[Model, typer.Option("--model", help="Records of people, cookies of devices, or both.")]


def train(model: WhichModel = Model.ALL) -> None:
    """Learn from the warehouse's records what likeness is worth, without any labels, and write it to the project.

    Writes dbt_project/seeds/match_parameters.csv, for review as any change, and a report. Needs the extra `matching`.
    """
    from dagster_cdp.matching.model import MODELS  # noqa: PLC0415 - each command imports only what it runs
    from dagster_cdp.matching.parameters import FILE, write_parameters  # noqa: PLC0415
    from dagster_cdp.matching.records import read_records  # noqa: PLC0415
    from dagster_cdp.matching.training import require_splink, train  # noqa: PLC0415

    require_splink()
    console = Console(stderr=True)
    for name in model.names:
        chosen = MODELS[name]()
        with console.status(f"{name}: reading records") as status, read_records(chosen) as records:
            parameters = train(chosen, records, lambda step, name=name: status.update(f"{name}: {step}"))  # type: ignore[misc]
            write_parameters(name, parameters)
            page = _write_report(chosen, parameters, records)
        console.print(f"{name}: {len(parameters) - 1} weights in {FILE.name}, report in {page}", soft_wrap=True)
    console.print("Look at the report and the diff of the seed, then `cdp run --again` scores with them.")


def report(model: WhichModel = Model.ALL) -> None:
    """Write the report of the weights that are in the project now; needs no training and no extra."""
    from dagster_cdp.matching.model import MODELS  # noqa: PLC0415 - each command imports only what it runs
    from dagster_cdp.matching.parameters import read_parameters  # noqa: PLC0415
    from dagster_cdp.matching.records import read_records  # noqa: PLC0415

    console = Console(stderr=True)
    for name in model.names:
        chosen = MODELS[name]()
        with console.status(f"{name}: scoring"), read_records(chosen) as records:
            page = _write_report(chosen, read_parameters(name), records)
        console.print(f"{name}: report in {page}", soft_wrap=True)


def _write_report(model: Any, parameters: Any, records: Any) -> Path:
    from dagster_cdp.matching.records import read_thresholds  # noqa: PLC0415 - as above
    from dagster_cdp.matching.report import report  # noqa: PLC0415

    page = home() / "reports" / f"matching_{model.name}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    text = report(records, model, parameters, read_thresholds(model), datetime.now(UTC))
    page.write_text(text, encoding="utf-8")
    return page
