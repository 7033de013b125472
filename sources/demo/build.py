"""Build the demo retailer's inbox and its truth, once: the same day and parameters never touch a file again."""

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
from sources.demo.people import invent_people
from sources.demo.purchases import open_packaged_tables, sample_baskets
from sources.demo.service import write_service
from sources.demo.shop import write_shop
from sources.demo.store import write_store
from sources.demo.truth import write_truth
from sources.demo.visits import plan_visits

ALL_HOUSEHOLDS = 2469


class DemoExists(ValueError):
    """The inbox holds a demo built with other parameters."""


@dataclass(frozen=True)
class Demo:
    """What was built: parameters, people, and rows per inbox file. `is_new` is false when nothing was written."""

    households: int
    scale: int
    seed: int
    last_day: str
    people: int
    rows: dict[str, int]
    is_new: bool = True


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

    `households` takes that many of the 2,469; `scale` repeats them as other people. Raises DemoExists when the
    truth folder records a build with other parameters, ValueError when the truth would lie within the inbox.
    """
    if truth.resolve().is_relative_to(inbox.resolve()):
        raise ValueError(f"The truth folder {truth} lies within the inbox {inbox}: it would be loaded. Move it out.")
    wanted = (min(households or ALL_HOUSEHOLDS, ALL_HOUSEHOLDS), scale, seed)
    existing = _read_manifest(truth)
    if existing and not rebuild:
        if (existing.households, existing.scale, existing.seed) != wanted:
            raise DemoExists(
                f"{inbox} holds a demo of {existing.households} households, scale {existing.scale}, seed "
                f"{existing.seed}. Use those, another CDP_HOME, or rebuild (which replaces its files)."
            )
        return existing
    for name in existing.rows if existing else ():
        (inbox / name).unlink(missing_ok=True)
    demo = _build(inbox, truth, *wanted, last_day or _yesterday())
    (truth / "demo.json").write_text(json.dumps(asdict(demo), indent=2, sort_keys=True) + "\n")
    return demo


def _build(inbox: Path, truth: Path, households: int, scale: int, seed: int, last_day: date) -> Demo:
    end = f"timestamp '{last_day} 23:59:59'"
    with duckdb.connect() as warehouse:
        warehouse.execute("create schema files")
        define_macros(warehouse, seed)
        open_packaged_tables(warehouse)
        people = invent_people(warehouse, households, scale, seed)
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
    return Demo(households, scale, seed, last_day.isoformat(), people, rows)


def _read_manifest(truth: Path) -> Demo | None:
    manifest = truth / "demo.json"
    if not manifest.exists():
        return None
    return Demo(**(json.loads(manifest.read_text()) | {"is_new": False}))


def _yesterday() -> date:
    """The day before CDP_NOW (or the real time), in UTC."""
    clock = os.environ.get("CDP_NOW")
    now = datetime.fromisoformat(clock) if clock else datetime.now(UTC)
    return (now.astimezone(UTC) if now.tzinfo else now).date() - timedelta(days=1)
