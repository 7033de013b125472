"""What days of triggers weigh on a cycle: `python -m tests.benchmarks.triggers [--past N] [--listed N] [--json]`.

The same looks are taken at two files in turns: in one nothing was ever told, in the other there are settled firings and
members of lists. Ratio of CPU; of a look at what has just landed, as each cycle of `cdp live` takes it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from reverse_etl.triggers.contents import NEEDED
from reverse_etl.triggers.cycle import look_and_decide
from reverse_etl.triggers.numbers import number_firings
from reverse_etl.triggers.occasions import Look
from reverse_etl.triggers.tables import open_tables
from reverse_etl.triggers.trigger import Trigger, find_trigger
from reverse_etl.warehouse import SharedWarehouse

NAMES = ("abandoned_checkout", "item_bought", "item_interest", "item_owned")
NOON = datetime.fromisoformat("2026-11-26 12:00")
STEP = timedelta(seconds=1)
TYPES = {"is_granted": "boolean", "is_cancelled": "boolean", "position": "bigint", "_batch": "bigint"}
MADE = {
    **{table: {*columns} for table, columns in NEEDED.items()},
    "audiences.bought_products": {"profile_id", "product_id", "bought_at"},
}
MADE["profiles.profile_events"] |= {"product_id", "order_id", "received_at"}
PEOPLE = """
insert into profiles.profiles by name
select 'p_' || md5(cast(number as varchar)) as profile_id, 'person' || number || '@mail.example' as email,
    'exact' as confidence
from range({people}) as numbers (number);
insert into profiles.consents by name
select profile_id, 'advertising' as purpose, 'ads' as channel, true as is_granted from profiles.profiles;
"""
PAST = """
insert into activation.trigger_firings by name
select
    case number % 8 when 0 then 'item_bought' when 1 then 'abandoned_checkout' else 'item_interest' end as trigger_name,
    'p_' || md5(cast(number % {people} as varchar)) as profile_id,
    'p' || (number % 1000) || '/' || md5('event' || number) as reason, md5('message' || number) as message_id,
    md5('event' || number) as source_id, 'p' || (number % 1000) as product_id,
    {before} as occurred_at, {before} as received_at, {before} as opened_at, {before} as due_at, {before} as wake_at,
    {before} as decided_at, 'send' as outcome, 'ads' as channel
from range({past}) as numbers (number);
insert into activation.list_members by name
select
    'sandbox' as destination, 'item_p' || (number // {people}) as list_name,
    'p_' || md5(cast(number % {people} as varchar)) as profile_id, 'item_interest' as trigger_name, true as is_wanted,
    timestamp '{now}' + interval 20 day as until_at, {before} as decided_at, true as is_held, 1 as intents,
    0 as attempts, {before} as wake_at, {before} as sent_at, {before} as acknowledged_at
from range({listed}) as numbers (number);
"""
EVENTS = """
insert into profiles.profile_events by name
select
    md5('now{step}/' || number) as event_id,
    'p_' || md5(cast((number * 7919 + {step}) % {people} as varchar)) as profile_id,
    case number % 8 when 0 then 'Checkout Started' when 1 then 'Order Completed' when 2 then 'Product Added'
        else 'Product Viewed' end as event_name,
    'p' || (number % 1000) as product_id, 'cart-{step}-' || (number // 8) as cart_id, timestamp '{now}' as occurred_at,
    timestamp '{now}' as received_at, timestamp '{now}' as _landed_at
from range({batch}) as numbers (number);
insert into identity.touched_profiles by name
select 'p_' || md5(cast((number * 7919 + {step}) % {people} as varchar)) as profile_id, {step} as _batch
from range({batch}) as numbers (number);
"""


def main() -> None:
    arguments = parsed()
    triggers = [soon(find_trigger(name)) for name in NAMES]
    seconds: dict[str, list[float]] = {"empty": [], "past": []}
    with tempfile.TemporaryDirectory() as folder:
        sides = {
            name: open_file(Path(folder) / f"{name}.duckdb", arguments, has_past=name == "past") for name in seconds
        }
        for step in range(1, arguments.rounds + 3):
            for name, connection in sides.items():
                seconds[name].append(looked(connection, triggers, arguments, step))
    cpu = {f"{name}_cpu_seconds": round(statistics.median(taken[2:]), 4) for name, taken in seconds.items()}
    found = {"past": arguments.past, "listed": arguments.listed, "batch": arguments.batch, **cpu}
    found["ratio"] = round(cpu["past_cpu_seconds"] / cpu["empty_cpu_seconds"], 2)
    print(json.dumps(found) if arguments.json else "\n".join(f"{key:<20} {value}" for key, value in found.items()))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--past", type=int, default=300_000, help="settled firings")
    parser.add_argument("--listed", type=int, default=100_000, help="members of lists")
    parser.add_argument("--batch", type=int, default=1_000, help="events of a cycle")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def soon(trigger: Trigger) -> Trigger:
    """Nothing waits, so that each cycle decides as much as it opens."""
    return trigger.model_copy(update={"wait": timedelta(0), "quiet_hours": None})


def open_file(file: Path, arguments: argparse.Namespace, *, has_past: bool) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(file), config={"threads": 1})
    for table, columns in MADE.items():
        declared = ", ".join(
            f"{name} {TYPES.get(name, 'timestamp' if name.endswith('_at') else 'text')}" for name in columns
        )
        connection.execute(f"create schema if not exists {table.split('.')[0]}; create table {table} ({declared})")
    warehouse = SharedWarehouse(connection)
    open_tables(warehouse)
    connection.execute(PEOPLE.format(people=arguments.people))
    if has_past:
        before = f"timestamp '{NOON - timedelta(hours=20)}' + to_milliseconds(number)"
        connection.execute(PAST.format(now=NOON, before=before, **vars(arguments)))
        number_firings(warehouse)
    connection.execute("checkpoint")
    return connection


def type_of(column: str) -> str:
    return TYPES.get(column) or ("timestamp" if column.endswith("_at") else "text")


def looked(
    connection: duckdb.DuckDBPyConnection, triggers: list[Trigger], arguments: argparse.Namespace, step: int
) -> float:
    """CPU seconds of one look; the first is at everything."""
    now = NOON + step * STEP
    connection.execute(EVENTS.format(step=step, now=now, people=arguments.people, batch=arguments.batch))
    began = time.process_time()
    connection.execute("begin transaction")
    look_and_decide(SharedWarehouse(connection), triggers, now, Look.ALL if step == 1 else Look.NEW)
    connection.execute("commit")
    return time.process_time() - began


if __name__ == "__main__":
    main()
