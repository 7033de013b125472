"""The owner decides while the dispatcher sends: two connections, one file, and nothing twice or lost."""

import threading
from contextlib import suppress

import duckdb
from post_office import PostOffice
from trigger_town import TriggerTown, checkout_trigger

from reverse_etl.triggers.decide import decide_due
from reverse_etl.triggers.dispatch import dispatch
from reverse_etl.triggers.opening import open_triggers
from reverse_etl.warehouse import DuckDBWarehouse

TRIGGER = checkout_trigger()
PEOPLE = 60


def test_deciding_and_sending_at_once():
    owner = duckdb.connect(config={"threads": 2})
    warehouse = DuckDBWarehouse(owner)
    town = TriggerTown(warehouse)
    office, is_over = PostOffice(batch_rows=5), threading.Event()

    def send():
        dispatch(
            lambda: DuckDBWarehouse(owner.cursor()), [TRIGGER], lambda: town.now,
            load=lambda _: office, sleep=lambda _: None,
        )  # fmt: skip

    def keep_sending():
        while not is_over.wait(0.01):
            send()

    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        for person in range(PEOPLE):
            town.person(f"p{person}")
            town.event(f"p{person}")
            with warehouse.transaction():
                open_triggers(warehouse, [TRIGGER], town.now)
                decide_due(warehouse, [TRIGGER], town.now)
    finally:
        is_over.set()
        sender.join()
    send()

    assert sorted(found_by["email"] for _, _, found_by, _ in office.sent) == sorted(
        f"p{person}@example.com" for person in range(PEOPLE)
    )


def test_two_who_decide_at_once_keep_the_cap():
    first = duckdb.connect(config={"threads": 2})
    town = TriggerTown(DuckDBWarehouse(first))
    trigger = checkout_trigger(cap={"messages": 1, "days": 7})
    town.person("ann")
    for cart in ("c1", "c2", "c3", "c4"):
        town.event("ann", cart=cart)
    gate = threading.Barrier(3)

    def decide():
        warehouse = DuckDBWarehouse(first.cursor())
        gate.wait()
        with suppress(duckdb.TransactionException, duckdb.ConstraintException), warehouse.transaction():
            open_triggers(warehouse, [trigger], town.now)
            decide_due(warehouse, [trigger], town.now)

    threads = [threading.Thread(target=decide) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with town.warehouse.transaction():
        decide_due(town.warehouse, [trigger], town.now)

    assert town.warehouse.execute("select count(*) from activation.outbox") == [(1,)]
