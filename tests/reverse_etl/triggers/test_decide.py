"""Who is told, through what, and why the others aren't; in any order, batches and repetitions."""

import random
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import duckdb
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from trigger_town import Shared, TriggerTown, checkout_trigger

from reverse_etl.sync import BadDeclaration
from reverse_etl.triggers.cycle import decide
from reverse_etl.triggers.decide import decide_due
from reverse_etl.triggers.occasions import open_triggers
from reverse_etl.triggers.trigger import find_trigger
from reverse_etl.warehouse import DuckDBWarehouse

BOTH = {
    "email": {"destination": "remote", "message": "abandoned_checkout"},
    "sms": {"destination": "remote", "message": "abandoned_checkout_sms"},
}
LOOKED = {"name": "looked", "when": {"event": "Product Viewed"}, "reason": "product_id", "priority": 1}


@pytest.fixture
def town(warehouse):
    return TriggerTown(warehouse)


def decided(town, *triggers):
    decide(Shared(town.warehouse), triggers, town.now)
    return town.outcomes()


def channel_of(town, name):
    [(channel,)] = town.warehouse.execute("select channel from activation.outbox where profile_id = ?", [name])
    return channel


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        ({}, "send"),
        ({"channels": ()}, "no_consent"),
        ({"email": False}, "unreachable"),
        ({"confidence": "loose"}, "unsure"),
    ],
)
def test_why_somebody_is_told_or_not(town, person, reason):
    town.person("ann", **person)
    town.event("ann")

    assert decided(town, checkout_trigger(min_confidence="strict")) == {("ann", "c1"): reason}


def test_a_denial_outweighs_and_another_purpose_is_no_consent(town):
    town.person("ann", channels=())
    town.consent("ann", purpose="personalization")
    town.person("bob")
    town.consent("bob", is_granted=False, purpose="personalization")
    town.person("cleo")
    town.consent("cleo", purpose="personalization")
    for name in ("ann", "bob", "cleo"):
        town.event(name)

    outcomes = decided(town, checkout_trigger(purpose=["marketing", "personalization"]))

    assert outcomes == {("ann", "c1"): "no_consent", ("bob", "c1"): "no_consent", ("cleo", "c1"): "send"}


def test_whoever_nobody_knows_is_told_nothing(town):
    town.event("ghost")
    assert decided(town, checkout_trigger()) == {("ghost", "c1"): "unknown_person"}


def test_the_first_consented_channel_that_leads_to_the_person(town):
    phone = "+12025550101"
    town.person("first", channels=("email", "sms"), phone=phone)
    town.person("prefers", channels=("email", "sms"), phone=phone)
    town.insert("profiles.contact_preferences", "prefers", "sms", 1)
    town.person("denies", channels=("email",), phone=phone)
    town.insert("profiles.contact_preferences", "denies", "sms", 1)
    town.person("has_no_phone", channels=("email", "sms"))
    town.insert("profiles.contact_preferences", "has_no_phone", "sms", 1)
    for name in ("first", "prefers", "denies", "has_no_phone"):
        town.event(name)

    decided(town, checkout_trigger(send=BOTH))

    assert channel_of(town, "first") == "email"
    assert channel_of(town, "prefers") == "sms"
    assert channel_of(town, "denies") == "email"
    assert channel_of(town, "has_no_phone") == "email"


def test_too_late_is_not_said(town):
    town.person("ann")
    town.event("ann", minutes_ago=60)
    town.now += timedelta(minutes=30)
    decide(Shared(town.warehouse), [checkout_trigger(wait="2 hours")], town.now)
    town.now += timedelta(days=3)

    assert decided(town, checkout_trigger(wait="2 hours")) == {("ann", "c1"): "expired"}


def test_what_happened_long_before_is_not_opened_at_all(town):
    town.person("ann")
    town.event("ann", minutes_ago=60 * 24 * 3)
    assert decided(town, checkout_trigger()) == {}


def test_a_tenth_is_held_out_and_always_the_same(town):
    for number in range(300):
        town.person(f"p{number}")
        town.event(f"p{number}")

    outcomes = decided(town, checkout_trigger(holdout=0.1))
    held = {name for (name, _), outcome in outcomes.items() if outcome == "holdout"}

    assert 15 <= len(held) <= 50
    for number in range(300):
        town.event(f"p{number}", cart="c2")
    again = {
        name for (name, _), outcome in decided(town, checkout_trigger(holdout=0.1)).items() if outcome == "holdout"
    }
    assert again == held


def test_where_the_cap_leaves_room_for_one_the_first_in_priority_speaks(town):
    town.person("ann")
    cap = {"cap": {"messages": 1, "days": 7}}
    town.event("ann")
    town.event("ann", "Product Viewed", product="tea", cart=None)

    outcomes = decided(town, checkout_trigger(**cap), checkout_trigger(**LOOKED, **cap))

    assert outcomes == {("ann", "c1"): "frequency_cap", ("ann", "tea"): "send"}


def test_a_cap_counts_each_message_and_forgets_it_in_time(town):
    town.person("ann")
    trigger = checkout_trigger(cap={"messages": 2, "days": 7})
    for cart in ("c1", "c2", "c3"):
        town.event("ann", cart=cart)
    assert Counter(decided(town, trigger).values()) == {"send": 2, "frequency_cap": 1}

    town.warehouse.execute("update activation.outbox set state = 'sent', sent_at = decided_at")
    town.now += timedelta(days=7, minutes=1)
    town.event("ann", cart="c4")

    assert decided(town, trigger)["ann", "c4"] == "send"


def test_who_was_merged_is_one_person_who_was_told(town):
    trigger = checkout_trigger(cap={"messages": 1, "days": 7})
    town.person("young")
    town.event("young")
    decided(town, trigger)

    town.person("old")
    town.warehouse.execute("delete from profiles.profiles where profile_id = 'young'")
    town.warehouse.execute("update profiles.profile_events set profile_id = 'old'")
    town.insert("identity.profile_redirects", "young", "old")
    town.event("old", cart="c2")
    outcomes = decided(town, trigger)

    assert outcomes == {("young", "c1"): "send", ("old", "c2"): "frequency_cap"}


def test_the_same_cart_is_no_second_reason_after_a_merge(town):
    town.person("young")
    town.event("young")
    decided(town, checkout_trigger())

    town.person("old")
    town.warehouse.execute("delete from profiles.profiles where profile_id = 'young'")
    town.insert("identity.profile_redirects", "young", "old")
    town.event("old", cart=None)
    town.warehouse.execute("update profiles.profile_events set profile_id = 'old', cart_id = 'young-c1'")

    assert decided(town, checkout_trigger()) == {("young", "c1"): "send"}


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


def open_only(town, trigger):
    with town.warehouse.transaction():
        open_triggers(town.warehouse, [trigger], town.now)


def test_a_table_or_column_that_is_missing_is_named(town):
    town.warehouse.execute("drop table profiles.personal_offers")
    with pytest.raises(BadDeclaration, match=r"^abandoned\.yml: no table profiles\.personal_offers, for field offer"):
        decide(town.warehouse, [checkout_trigger()], town.now)


def test_a_trigger_that_is_disabled_neither_opens_nor_decides(town):
    town.person("ann")
    town.event("ann")
    assert decided(town, checkout_trigger(enabled=False)) == {}


EVENTS = st.lists(
    st.tuples(st.sampled_from(["ann", "bob"]), st.sampled_from(["c1", "c2"]), st.integers(31, 300)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=EVENTS, seed=st.integers(0, 1_000), cuts=st.sets(st.integers(0, 8)))
def test_any_order_batching_and_repetition_opens_and_decides_the_same(events, seed, cuts):
    def told(batches, repeats):
        town = TriggerTown(DuckDBWarehouse(duckdb.connect(config={"threads": 1})))
        for name in ("ann", "bob"):
            town.person(name)
        for batch in batches:
            for name, cart, minutes_ago in batch:
                town.event(name, cart=cart, minutes_ago=minutes_ago)
            for _ in range(repeats):
                open_only(town, checkout_trigger())
        for _ in range(repeats):
            with town.warehouse.transaction():
                decide_due(town.warehouse, [checkout_trigger()], town.now)
        return town.outcomes(), sorted(row[:2] for row in town.outbox())

    shuffled = random.Random(seed).sample(events, len(events))
    edges = sorted({0, *(cut for cut in cuts if cut < len(events)), len(events)})
    batches = [shuffled[first:last] for first, last in pairwise(edges)]

    assert told(batches, 2) == told([events], 1)
