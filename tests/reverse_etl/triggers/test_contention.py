"""Whoever looks at triggers, or runs them by hand, while others decide and send: nobody fails of it."""

import threading
from contextlib import ExitStack, contextmanager

import duckdb
import pytest
from post_office import PostOffice
from trigger_town import TriggerTown, checkout_trigger

from reverse_etl.contended import contended
from reverse_etl.triggers.cycle import decide
from reverse_etl.triggers.decide import take_turn
from reverse_etl.triggers.dispatch import dispatch
from reverse_etl.triggers.preview import preview
from reverse_etl.triggers.trigger import find_trigger
from reverse_etl.warehouse import DuckDBWarehouse

TRIGGER = checkout_trigger()


@pytest.fixture
def town():
    with duckdb.connect(config={"threads": 1}) as connection:
        town = TriggerTown(DuckDBWarehouse(connection))
        town.person("ann")
        town.event("ann")
        yield town


def another(town):
    return DuckDBWarehouse(town.warehouse._connection.cursor())


@contextmanager
def while_somebody_has(town, write):
    """Another transaction, which ends in a while."""
    other = another(town)
    other.execute("begin transaction")
    write(other)
    end = threading.Timer(0.3, lambda: other.execute("commit"))
    end.start()
    yield
    end.join()


def test_a_preview_waits_for_who_decides(town):
    trigger = find_trigger("abandoned_checkout").model_copy(update={"holdout": 0})
    take_turn(town.warehouse)
    with while_somebody_has(town, take_turn):
        [found] = preview(another(town), [trigger], town.now)

    assert found.leaving == {"email": 1}


def test_deciding_by_hand_waits_for_who_decides(town):
    take_turn(town.warehouse)
    with while_somebody_has(town, take_turn):
        found = decide(another(town), [TRIGGER], town.now)

    assert found.sent == 1


def test_the_first_two_who_ever_decide_are_no_exception(town):
    """DuckDB refuses the later of two equal keys only when it commits."""
    mine, tries = another(town), []

    def decide_as_another_does():
        take_turn(mine)
        if not tries:
            take_turn(town.warehouse)
        tries.append(1)

    contended(mine, decide_as_another_does)

    assert len(tries) == 2


@pytest.mark.parametrize("moment", ["before", "while it is being sent"])
def test_what_was_sent_is_recorded_whoever_looks_meanwhile(town, moment):
    """A preview lays the outbox out, too, and undoes it."""
    decide(town.warehouse, [TRIGGER], town.now)
    with ExitStack() as stack:

        def look(*_):
            outbox = "update activation.outbox set attempts = 9"
            stack.enter_context(while_somebody_has(town, lambda other: other.execute(outbox)))

        office = PostOffice(knows_ids=False, on_sending=look if moment != "before" else None)
        if moment == "before":
            look()
        dispatch(lambda: another(town), [TRIGGER], lambda: town.now, load=lambda _: office, sleep=lambda _: None)

    assert [state for _, state, _ in town.outbox()] == ["sent"]
    assert len(office.sent) == 1
