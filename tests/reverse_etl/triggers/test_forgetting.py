"""What is settled and can't come again is forgotten, and nobody is told anything twice for it."""

from datetime import timedelta

from trigger_town import Shared, checkout_trigger, decided

from reverse_etl.triggers.cycle import decide
from reverse_etl.triggers.history import history
from reverse_etl.triggers.occasions import Look

BY_EVENT = {"reason": "event_id", "expires": "2 days"}


def settled(town, **changes):
    """A checkout, told of; then time goes by."""
    trigger = checkout_trigger(**changes)
    town.person("ann")
    town.event("ann")
    assert list(decided(town, trigger).values()) == ["send"]
    town.warehouse.execute("update activation.outbox set state = 'sent', sent_at = decided_at")
    town.now += timedelta(days=4)
    return trigger


def test_what_is_over_is_forgotten_and_stays_in_the_counts(town):
    trigger = settled(town, **BY_EVENT)

    assert decided(town, trigger) == {}
    assert history(town.warehouse, "abandoned", town.now).decided == {"send": 1}
    assert history(town.warehouse, "abandoned", town.now, days=3).decided == {}


def test_counts_of_a_day_add_up(town):
    trigger = settled(town, **BY_EVENT)
    town.now -= timedelta(days=4) - timedelta(hours=2)
    town.event("ann", cart="c2")
    decided(town, trigger)
    town.warehouse.execute("update activation.outbox set state = 'sent', sent_at = decided_at")
    town.now += timedelta(days=2) - timedelta(hours=1)
    assert len(decided(town, trigger)) == 1
    town.now += timedelta(hours=2)

    assert decided(town, trigger) == {}
    assert history(town.warehouse, "abandoned", town.now).decided == {"send": 2}


def test_what_was_forgotten_is_not_told_when_the_file_comes_to_wait_longer(town):
    trigger = settled(town, **BY_EVENT)
    decided(town, trigger)

    assert decided(town, trigger.model_copy(update={"expires": timedelta(days=30)})) == {}


def test_a_cart_is_remembered_for_as_long_as_somebody_may_come_back_to_it(town):
    trigger = settled(town)
    town.event("ann")

    assert decided(town, trigger) == {("ann", "c1"): "send"}
    assert town.warehouse.execute("select count(*) from activation.outbox") == [(1,)]


def test_one_half_of_a_comparison_is_remembered(town):
    trigger = settled(town, **BY_EVENT)
    assert len(decided(town, trigger.model_copy(update={"holdout": 0.1}))) == 1


def test_what_has_not_left_yet_is_remembered(town):
    trigger = settled(town, **BY_EVENT)
    town.warehouse.execute("update activation.outbox set state = 'unknown'")
    assert len(decided(town, trigger)) == 1


def test_a_short_look_forgets_nothing(town):
    trigger = settled(town, **BY_EVENT)
    decide(Shared(town.warehouse), [trigger], town.now, Look.RECENT)
    assert len(town.outcomes()) == 1
