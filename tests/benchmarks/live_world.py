"""A warehouse of so many profiles and events, written by SQL and built by dbt, and new events for its log."""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

import duckdb

from dagster_cdp import dbt
from dagster_cdp.live.cycle import prepare_books, tune
from dagster_cdp.live.loop import Loop
from dagster_cdp.live.plan import make_plan
from sources.configuration import read_configuration
from sources.source import all_sources
from sources.tail import Tail

LANE = "web_events.events"
STAGES = ("staging", "identity", "profiles", "audiences")
NUMBERS = count(1)
AT_ONCE = 10_000  # visitors; at 1,000 events a second each does something every ten seconds
CLICKS = 8
BUYERS = 7  # one visit of so many ends with an order
SAYS = ["Product Viewed"] * 5 + ["Product Added", "Product Added", "Checkout Started"]
QUIET = timedelta(days=4)  # before it begins, so that no trigger still has to answer what is long past
VISITS: deque[Iterator[dict[str, Any]]] = deque()

LOADS = """
create schema raw;
create table raw._dlt_loads (
    load_id varchar, schema_name varchar, status bigint, inserted_at timestamptz, schema_version_hash varchar
);
create table raw.loads (
    connector varchar, table_name varchar, load_id varchar, source_file varchar, accepted_count bigint,
    _landed_at timestamp, _dlt_load_id varchar
);
create table raw.schema_changes (
    connector varchar, table_name varchar, column_name varchar, change varchar, source_file varchar, row_count bigint,
    _landed_at timestamp, _dlt_load_id varchar
);
"""
HISTORY = """
insert into raw.web_events__events by name
select
    md5('m' || number) as message_id,
    'track' as type,
    case number % 5 when 0 then 'Product Added' when 1 then 'Checkout Started' else 'Product Viewed' end as event,
    'cookie-' || (number % {profiles}) as anonymous_id,
    case when number % {profiles} % 2 = 0 then 'login-' || (number % {profiles}) end as user_id,
    case when number % {profiles} % 3 = 0
        then '{{"email": "person' || (number % {profiles}) || '@mail.example"}}' end as traits,
    '{{"product_id": "p' || (number % 1000) || '", "price": 3}}' as properties,
    timestamp '{end}' - to_milliseconds(5000000000 - cast(number * 5000000000.0 / {events} as bigint)) as timestamp,
    timestamp '{end}' - to_milliseconds(5000000000 - cast(number * 5000000000.0 / {events} as bigint)) as received_at,
    md5('m' || number) as _row_id, 'history' as _source_file, number as _row_number,
    timestamp '{now}' as _landed_at, md5(cast(number as varchar)) as _row_hash, 'history' as _dlt_load_id
from range({events}) as numbers (number);
insert into raw._dlt_loads values ('history', 'web_events', 0, now(), null);
insert into raw.consent__choices by name
select
    md5('c' || number) as id, 'person' || number || '@mail.example' as email,
    'advertising' as purpose, 'ads' as channel, 'granted' as status, 'banner' as source,
    timestamp '{now}' - interval 30 day as collected_at, timestamp '{now}' - interval 30 day as received_at,
    md5('c' || number) as _row_id, 'history' as _source_file, number as _row_number,
    timestamp '{now}' as _landed_at, md5('c' || number) as _row_hash, 'history of consent' as _dlt_load_id
from range(0, {profiles}, 3) as numbers (number);
insert into raw._dlt_loads values ('history of consent', 'consent', 0, now(), null);
"""


def open_warehouse() -> duckdb.DuckDBPyConnection:
    file = read_configuration().warehouse
    file.parent.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(str(file))
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set preserve_insertion_order = false")
    return connection


def build_history(profiles: int, events: int) -> float:
    """Write the past into raw and let dbt build everything; the seconds of the latter."""
    connection = open_warehouse()
    connection.execute(LOADS)
    Tail(read_configuration(), all_sources()).open(connection)
    now = datetime.now(UTC).replace(tzinfo=None)
    connection.execute(HISTORY.format(profiles=profiles, events=events, now=now, end=now - QUIET))
    connection.close()
    began = time.monotonic()
    for words in (["seed"], ["run", "--select", *STAGES]):
        outcome = dbt.invoke([*words, *dbt.places(), "--no-write-json"], manifest=dbt.parsed())
        assert outcome.success, [result.message for result in outcome.result.results if result.status == "error"]
    return time.monotonic() - began


def open_loop(connection: duckdb.DuckDBPyConnection) -> Loop:
    tune(connection)
    tail = Tail(read_configuration(), all_sources())
    tail.open(connection)
    prepare_books(connection)
    return Loop(tail, connection, make_plan)


def new_lines(wanted: int, profiles: int) -> list[bytes]:
    """What visitors do next, as the collector writes it."""
    return [_envelope(event) for event in next_events(wanted, profiles)]


def next_events(wanted: int, profiles: int) -> list[dict[str, Any]]:
    """What visitors do next: each in turn, so that a second holds one event of each."""
    events: list[dict[str, Any]] = []
    while len(events) < wanted:
        if len(VISITS) < AT_ONCE:
            number = next(NUMBERS)
            VISITS.append(islice(_visit(number, profiles), number % CLICKS if number < AT_ONCE else 0, None))
        visit = VISITS.popleft()
        if event := next(visit, None):
            number = hashlib.md5(str(next(NUMBERS)).encode(), usedforsecurity=False).hexdigest()
            events.append({**event, "messageId": number, "timestamp": _now()})
            VISITS.append(visit)
    return events


def _visit(number: int, profiles: int) -> Iterator[dict[str, Any]]:
    """Half of the visitors were here before; a third say who they are, and are then known to every event; some buy."""
    person = number * 7919 % (2 * profiles)
    known: dict[str, Any] = {"anonymousId": f"cookie-{person}"}
    for click in range(CLICKS):
        product = {"product_id": f"p{(number + click) % 1000}", "price": 9.5, "cart_id": f"cart-{number}"}
        yield {"type": "track", "event": SAYS[click], "properties": product, **known}
        if click == CLICKS // 2 and person % 3 == 0:
            known["userId"] = f"login-{person}"
            yield {"type": "identify", "traits": {"email": f"person{person}@mail.example"}, **known}
    if number % BUYERS == 0:
        yield {"type": "track", "event": "Order Completed", "properties": {"cart_id": f"cart-{number}"}, **known}


def _envelope(event: dict[str, Any]) -> bytes:
    known = {"messageId": event["messageId"], "type": event["type"], "receivedAt": event["timestamp"], "writeKey": "k"}
    return json.dumps({"event": event, **known}).encode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def log_folder() -> Path:
    return Path(read_configuration().log)
