"""What happened is seen by the look that is for it, and told once, by whatever it is found."""

from datetime import timedelta

import pytest
from trigger_town import Shared, checkout_trigger, decided

from reverse_etl.triggers import opening
from reverse_etl.triggers.cycle import decide
from reverse_etl.triggers.occasions import RECENT, Look
from reverse_etl.triggers.tables import open_tables
from reverse_etl.triggers.trigger import find_trigger

TRIGGER = checkout_trigger()


def seen(town, look, trigger=TRIGGER):
    decide(Shared(town.warehouse), [trigger], town.now, look)
    return sorted(name for name, _ in town.outcomes())


def land(town, name, *, before):
    """An event whose row lands now, with a moment of landing so long before the newest one."""
    town.person(name)
    event = town.event(name)
    town.warehouse.execute(
        "update profiles.profile_events set _landed_at = ? where event_id = ?", [town.now - before, event]
    )


def test_a_cycle_sees_what_landed_since_a_look_again_what_was_late_and_the_whole_the_rest(town):
    land(town, "ann", before=timedelta(0))
    assert seen(town, Look.NEW) == ["ann"]
    town.now += timedelta(minutes=1)
    land(town, "bob", before=timedelta(0))
    assert seen(town, Look.NEW) == ["ann", "bob"]

    land(town, "cleo", before=RECENT / 2)
    land(town, "dan", before=2 * RECENT)
    assert seen(town, Look.NEW) == ["ann", "bob"]
    assert seen(town, Look.RECENT) == ["ann", "bob", "cleo"]
    assert seen(town, Look.ALL) == ["ann", "bob", "cleo", "dan"]


def test_of_an_audience_a_cycle_sees_of_whom_something_changed_and_what_happened_lately(town):
    """An order may be told long after it was made, a price by a build that changes nobody."""
    trigger = find_trigger("price_drop").model_copy(update={"quiet_hours": None})
    decided(town, trigger)
    town.now += timedelta(hours=2)
    for name in ("ann", "bob", "cleo"):
        town.person(name)
    decide(Shared(town.warehouse), [trigger], town.now, Look.NEW)
    town.touch("cleo")
    for name, ago in (("ann", RECENT / 2), ("bob", 2 * RECENT), ("cleo", 2 * RECENT)):
        town.insert("audiences.price_drops", name, "tea", "Tea", 8, 10, town.now - ago)

    assert seen(town, Look.NEW, trigger) == ["ann", "cleo"]
    assert seen(town, Look.ALL, trigger) == ["ann", "bob", "cleo"]


def test_a_number_that_two_share_tells_them_apart_by_their_text(town, monkeypatch):
    monkeypatch.setattr(opening, "number", lambda *_: "cast(7 as bigint)")
    for name in ("ann", "bob"):
        town.person(name)
        town.event(name)
        decided(town, TRIGGER)
    town.event("bob", cart="c2")
    town.event("ann")

    assert decided(town, TRIGGER) == {("ann", "c1"): "send", ("bob", "c1"): "send", ("bob", "c2"): "send"}


@pytest.mark.parametrize("column", ["reason_number", "source_number"])
def test_firings_of_before_there_were_numbers_get_theirs(town, column):
    town.person("ann")
    town.event("ann")
    decided(town, TRIGGER)
    [(before,)] = town.warehouse.execute(f"select {column} from activation.trigger_firings")
    for number in ("reason_number", "source_number"):
        town.warehouse.execute(f"drop index if exists activation.trigger_firings_{number.removesuffix('_number')}")
        town.warehouse.execute(f"alter table activation.trigger_firings drop column {number}")

    open_tables(town.warehouse)

    assert town.warehouse.execute(f"select {column} from activation.trigger_firings") == [(before,)]


def test_who_is_still_known_by_a_former_id_is_not_told_again(town):
    """The profile is gone, and events still stand under it: a build of one of them, not yet of the other."""
    town.person("young")
    town.event("young")
    decided(town, TRIGGER)
    town.person("old")
    town.warehouse.execute("delete from profiles.profiles where profile_id = 'young'")
    town.insert("identity.profile_redirects", "young", "old")
    town.event("young")

    assert decided(town, TRIGGER) == {("young", "c1"): "send"}
