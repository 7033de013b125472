"""Build the demo retailer's inbox and its truth, once: building again never touches a file."""

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from sources.demo.agreements import write_agreements
from sources.demo.browsing import write_events
from sources.demo.dice import define_macros
from sources.demo.export import write_inbox
from sources.demo.messages import write_messages
from sources.demo.networks import define_networks
from sources.demo.people import invent_people
from sources.demo.purchases import open_packaged_tables, sample_baskets
from sources.demo.service import write_service
from sources.demo.shop import write_shop
from sources.demo.store import write_store
from sources.demo.truth import write_truth
from sources.demo.visits import plan_visits

ALL_HOUSEHOLDS = 2469
MANIFEST = "demo.json"


class DemoExistsError(ValueError):
    """The inbox holds a demo built with other parameters."""


@dataclass(frozen=True)
class Size:
    """How much is built: households of the data, how often each is repeated as other people, the seed."""

    households: int
    scale: int
    seed: int


@dataclass(frozen=True)
class Demo:
    """What was built: parameters, people, rows per inbox file. `is_new` is false when nothing was written."""

    size: Size
    last_day: str
    people: int
    rows: dict[str, int]
    is_new: bool = True

    def __str__(self) -> str:
        rows = f"{sum(self.rows.values()):,} rows in {len(self.rows)} files"
        kept = "" if self.is_new else " (kept as built)"
        return f"{self.people:,} people, {rows}, up to {self.last_day}{kept}"


def build(
    inbox: Path,
    truth: Path,
    *,
    households: int | None = None,
    scale: int = 1,
    seed: int = 7,
    last_day: date | None = None,
    rebuild: bool = False,
) -> Demo:
    """Write the demo unless it is there already; a first build is kept on later days, unless `rebuild`.

    `households` takes that many of the 2,469; `scale` repeats them as other people. Raises DemoExistsError
    when the truth folder records a build with other parameters, ValueError when the truth would lie within
    the inbox.
    """
    _refuse_the_impossible(inbox, truth, households)
    size = Size(min(households or ALL_HOUSEHOLDS, ALL_HOUSEHOLDS), scale, seed)
    existing = _read_manifest(truth)
    if existing and not rebuild:
        if existing.size != size:
            raise DemoExistsError(
                f"{inbox} holds another demo ({existing.size}, asked for {size}). Ask for the same size, use "
                "another CDP_HOME, or rebuild, which replaces its files."
            )
        return existing
    for name in existing.rows if existing else ():
        (inbox / name).unlink(missing_ok=True)
    demo = _write(inbox, truth, size, last_day or _yesterday())
    manifest = {name: value for name, value in asdict(demo).items() if name != "is_new"}
    (truth / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    return demo


def _refuse_the_impossible(inbox: Path, truth: Path, households: int | None) -> None:
    if truth.resolve().is_relative_to(inbox.resolve()):
        raise ValueError(f"The truth folder {truth} lies within the inbox {inbox}: it would be loaded. Move it.")
    if households is not None and households < 1:
        raise ValueError(f"households is {households}: ask for at least one, or None for all {ALL_HOUSEHOLDS}.")


def _write(inbox: Path, truth: Path, size: Size, last_day: date) -> Demo:
    end = f"timestamp '{last_day} 23:59:59'"
    with duckdb.connect() as warehouse:
        warehouse.execute("create schema files")
        define_macros(warehouse, size.seed)
        define_networks(warehouse)
        open_packaged_tables(warehouse)
        people = invent_people(warehouse, size.households, size.scale, size.seed)
        sample_baskets(warehouse, last_day)
        write_store(warehouse, last_day, end)
        write_shop(warehouse, end)
        write_service(warehouse, end)
        write_messages(warehouse, last_day, end)
        write_agreements(warehouse, end)
        plan_visits(warehouse, people, end)
        write_events(warehouse, end)
        rows = write_inbox(warehouse, inbox, last_day)
        write_truth(warehouse, truth)
    return Demo(size, last_day.isoformat(), people, rows)


def _read_manifest(truth: Path) -> Demo | None:
    manifest = truth / MANIFEST
    if not manifest.exists():
        return None
    stored = json.loads(manifest.read_text())
    return Demo(Size(**stored["size"]), stored["last_day"], stored["people"], stored["rows"], is_new=False)


def _yesterday() -> date:
    """Return the day before CDP_NOW (or the real time), in UTC."""
    clock = os.environ.get("CDP_NOW")
    now = datetime.fromisoformat(clock) if clock else datetime.now(UTC)
    return (now.astimezone(UTC) if now.tzinfo else now).date() - timedelta(days=1)
