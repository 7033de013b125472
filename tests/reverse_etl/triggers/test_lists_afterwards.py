"""Lists outlive the day they were made: triggers are disabled, destinations change, events come out of order."""

from datetime import timedelta

import pytest
from test_lists import TRIGGERS, Platform, cycle, on_lists, reader, town_with
from trigger_town import Shared

from reverse_etl.triggers.cycle import decide, run_cycle
from reverse_etl.triggers.dispatch import dispatch
from reverse_etl.triggers.preview import preview
from reverse_etl.triggers.trigger import find_trigger

INTEREST = find_trigger("item_interest")


@pytest.fixture
def town(warehouse, cdp_home):
    return town_with(warehouse)


def test_who_is_on_the_list_of_a_disabled_trigger_still_leaves_it(town):
    reader(town)
    reader(town, "bob")
    cycle(town)
    town.consent("ann", is_granted=False, channel="ads", purpose="advertising")
    town.event("bob", "Product Viewed", product="jam", cart=None)
    disabled = [INTEREST.model_copy(update={"enabled": False}), *TRIGGERS[1:]]

    run_cycle(lambda: Shared(town.warehouse), disabled, lambda: town.now)

    assert on_lists() == {"item_tea": {"bob@example.com"}}


def test_a_cart_is_known_as_a_whole_only_after_its_order(town):
    """Events of a browser arrive in any order."""
    reader(town)
    town.event("ann", "Product Viewed", product="jam", cart=None)
    cycle(town)
    town.event("ann", "Product Added", product="tea", minutes_ago=2)
    town.event("ann", "Order Completed", minutes_ago=0)
    cycle(town)
    town.event("ann", "Product Added", product="jam", minutes_ago=1)

    cycle(town)

    assert on_lists() == {}


def test_a_list_that_moved_to_another_destination_leaves_nobody_there(town):
    """Nobody who is on a list of the former one is named to the new one, and what stays is said."""
    reader(town)
    cycle(town)
    asked = []

    step = INTEREST.list.model_copy(update={"destination": "elsewhere"})
    moved = INTEREST.model_copy(update={"list": step})
    town.consent("ann", is_granted=False, channel="ads", purpose="advertising")
    decide(Shared(town.warehouse), [moved], town.now)

    def load(sync):
        asked.append(sync.destination)
        raise AssertionError

    report = dispatch(lambda: Shared(town.warehouse), [moved], lambda: town.now, load=load)

    assert asked == []
    assert report.refused == {
        "item_interest at sandbox": "1 must leave its lists there: name sandbox in the trigger until they have"
    }


def test_a_preview_counts_who_would_be_taken_off(town):
    reader(town)
    cycle(town)
    town.event("ann", "Product Added", product="tea", minutes_ago=1)
    town.event("ann", "Order Completed", minutes_ago=0)

    found = {one.trigger: one for one in preview(Shared(town.warehouse), TRIGGERS, town.now)}

    assert found["item_bought"].leaving == {"ads": 1}
    assert found["item_interest"].leaving == {}


def test_who_came_back_before_the_platform_took_the_removal_can_leave_again(town):
    """It had no time for the removal, nor for them: they are on it all along."""
    platform = Platform()
    platform.held, platform.on_sending = set(), lambda _: None

    def choose(*moods, is_granted=True):
        town.consent("ann", is_granted=is_granted, channel="ads", purpose="advertising")
        town.now += timedelta(hours=1)
        platform.moods = list(moods)
        decide(Shared(town.warehouse), TRIGGERS, town.now)
        dispatch(
            lambda: Shared(town.warehouse), TRIGGERS, lambda: town.now, load=lambda _: platform, sleep=lambda _: None
        )

    reader(town)
    choose()
    choose("busy", is_granted=False)
    town.event("ann", "Product Viewed", product="tea", cart=None)
    choose("busy")
    assert platform.held == {"ann@example.com"}

    choose(is_granted=False)

    assert platform.held == set()
