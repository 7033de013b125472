"""The owner decides about lists while the dispatcher brings them there: both write the same rows, none is lost."""

import threading
from datetime import timedelta

import duckdb
import pytest
from test_lists import TRIGGERS, Platform, reader, town_with

from reverse_etl.triggers.decide import decide_due
from reverse_etl.triggers.dispatch import dispatch
from reverse_etl.triggers.occasions import Look
from reverse_etl.triggers.opening import open_triggers
from reverse_etl.warehouse import DuckDBWarehouse

PEOPLE = 40


class World:
    """A file with the owner's connection; each dispatch has one of its own."""

    def __init__(self):
        self.owner = duckdb.connect(config={"threads": 2})
        self.town = town_with(DuckDBWarehouse(self.owner))
        self.platform = Platform(batch_rows=5)
        self.platform.held, self.platform.on_sending = set(), lambda _: None

    def decide(self):
        """One part of a cycle, in the transaction that is open."""
        warehouse = self.town.warehouse
        open_triggers(warehouse, TRIGGERS, self.town.now, Look.ALL)
        decide_due(warehouse, TRIGGERS, self.town.now)

    def cycle(self):
        """As the loop runs it: again, if the dispatcher wrote meanwhile."""
        while True:
            try:
                with self.town.warehouse.transaction():
                    self.decide()
            except duckdb.TransactionException:
                continue
            return

    def send(self):
        return dispatch(
            lambda: DuckDBWarehouse(self.owner.cursor()), TRIGGERS, lambda: self.town.now,
            load=lambda _: self.platform, sleep=lambda _: None,
        )  # fmt: skip


@pytest.fixture
def world():
    world = World()
    yield world
    world.owner.close()


@pytest.mark.parametrize("moment", ["while it is being sent", "before it is intended"])
def test_what_a_cycle_holds_meanwhile_is_written_once_it_lets_go(world, moment):
    """The row is the owner's, uncommitted, when the dispatcher comes to write when to look at it again."""
    reader(world.town)
    reader(world.town, "bob")
    world.cycle()

    def withdraw(*_):
        world.platform.on_sending = lambda _: None
        world.town.now += timedelta(minutes=1)  # a value that stays the same is no write for DuckDB
        world.town.consent("ann", is_granted=False, channel="ads", purpose="advertising")
        world.town.warehouse.execute("begin transaction")
        world.decide()
        threading.Timer(0.3, lambda: world.town.warehouse.execute("commit")).start()

    if moment == "before it is intended":
        withdraw()
    else:
        world.platform.on_sending, world.platform.moods = withdraw, ["broken"]
    report = world.send()

    assert report.refused == {}
    world.town.now += timedelta(minutes=2)
    world.send()
    assert world.platform.held == {"bob@example.com"}
    rows = world.town.warehouse.execute("select profile_id, is_held, pending_operation from activation.list_members")
    assert rows == [("bob", True, None)]


def test_deciding_and_sending_at_once(world):
    is_over, faults = threading.Event(), []

    def keep_sending():
        while not is_over.is_set():
            try:
                world.send()
            except duckdb.Error as fault:
                faults.append(fault)
                return

    for person in range(PEOPLE):
        reader(world.town, f"p{person}")
    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        for person in range(PEOPLE):
            if person % 2:
                world.town.consent(f"p{person}", is_granted=False, channel="ads", purpose="advertising")
            else:
                world.town.event(f"p{person}", "Product Viewed", product="jam", cart=None)
            world.cycle()
    finally:
        is_over.set()
        sender.join()
    assert faults == []
    world.send()
    assert world.platform.held == {f"p{person}@example.com" for person in range(0, PEOPLE, 2)}
