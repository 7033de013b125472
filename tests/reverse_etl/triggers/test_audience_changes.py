"""Who enters or leaves an audience, and what fell in price: told once for each time, and not when it is over."""

from collections import Counter
from datetime import timedelta

from trigger_town import Shared, checkout_trigger, decided, open_only

from reverse_etl.triggers.cycle import decide
from reverse_etl.triggers.trigger import find_trigger


def test_who_lapses_is_won_back_once_for_each_last_order(town):
    trigger = find_trigger("win_back").model_copy(update={"holdout": 0, "quiet_hours": None})
    town.person("early")
    town.insert("audiences.lapsed_buyers", "early", "tea", town.now - timedelta(days=90))
    assert decided(town, trigger) == {}  # who was there before the trigger is no news

    town.person("ann")
    town.now += timedelta(days=1)
    last = town.now - timedelta(days=60)
    town.insert("audiences.lapsed_buyers", "ann", "tea", last)
    assert set(decided(town, trigger).values()) == {"send"}

    for _ in range(2):  # leaves, and is back in the same state
        town.warehouse.execute("delete from audiences.lapsed_buyers where profile_id = 'ann'")
        town.now += timedelta(days=1)
        decided(town, trigger)
        town.insert("audiences.lapsed_buyers", "ann", "tea", last)
        town.now += timedelta(days=1)
        decided(town, trigger)
    assert len(town.outcomes()) == 1

    town.warehouse.execute("delete from audiences.lapsed_buyers where profile_id = 'ann'")
    town.now += timedelta(days=70)
    decided(town, trigger)
    town.insert("audiences.lapsed_buyers", "ann", "tea", town.now - timedelta(days=60))
    town.now += timedelta(days=1)
    assert len(decided(town, trigger)) == 2


def test_who_leaves_an_audience_is_asked_unless_they_came_back(town):
    win_back = find_trigger("win_back")
    leaves = win_back.when.model_copy(update={"enters": None, "leaves": "lapsed_buyers"})
    changes = {"name": "left", "when": leaves, "reason": "entry", "wait": timedelta(days=1), "unless_bought": "never"}
    trigger = win_back.model_copy(update={**changes, "holdout": 0, "quiet_hours": None})
    for name in ("ann", "bob"):
        town.person(name)
        town.insert("audiences.lapsed_buyers", name, "tea", town.now)
    decided(town, trigger)
    town.warehouse.execute("delete from audiences.lapsed_buyers")
    town.now += timedelta(hours=1)
    decided(town, trigger)
    town.insert("audiences.lapsed_buyers", "bob", "tea", town.now)
    town.now += timedelta(days=2)

    assert decided(town, trigger) == {("ann", "entry_1"): "send", ("bob", "entry_1"): "came_back"}


def test_a_price_that_fell_is_told_once_for_each_price_and_not_after_it_rose(town):
    trigger = find_trigger("price_drop").model_copy(update={"quiet_hours": None})
    town.person("ann")
    decided(town, trigger)
    town.now += timedelta(hours=1)
    drop = ("ann", "tea", "Tea", 8, 10, town.now - timedelta(minutes=5))
    town.insert("audiences.price_drops", *drop)
    decided(town, trigger)
    town.now += timedelta(hours=1)
    decided(town, trigger)
    assert list(town.outcomes().values()) == ["send"]

    town.insert("audiences.price_drops", *drop[:3], 6, 10, town.now - timedelta(minutes=5))
    open_only(town, trigger)
    town.warehouse.execute("delete from audiences.price_drops")
    assert Counter(decided(town, trigger).values()) == {"send": 1, "left": 1}


def test_an_audience_with_a_row_of_nobody_is_left_too(town):
    trigger = checkout_trigger(
        when={"leaves": "lapsed_buyers"}, reason=(), wait="0 minutes", unless_bought="never",
        send={"email": {"destination": "remote", "message": "win_back"}},
    )  # fmt: skip
    town.person("ann")
    for name in ("ann", None):
        town.insert("audiences.lapsed_buyers", name, "tea", town.now - timedelta(days=70))
    decide(Shared(town.warehouse), [trigger], town.now)
    town.warehouse.execute("delete from audiences.lapsed_buyers where profile_id = 'ann'")

    decide(Shared(town.warehouse), [trigger], town.now)

    assert town.outcomes() == {("ann", "entry_1"): "send"}
