"""Lists of ad platforms: on it while it holds, off it the moment somebody buys or takes back their consent."""

import os
from contextlib import suppress
from datetime import timedelta
from itertools import count

import duckdb
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from mortal import Killed, Mortal
from post_office import PostOffice
from trigger_town import Shared, TriggerTown

from reverse_etl.sandbox.server import running
from reverse_etl.triggers import listing
from reverse_etl.triggers.cycle import decide, run_cycle
from reverse_etl.triggers.dispatch import dispatch
from reverse_etl.triggers.occasions import Look
from reverse_etl.triggers.trigger import find_trigger
from reverse_etl.warehouse import DuckDBWarehouse

TRIGGERS = [find_trigger(name) for name in ("item_interest", "item_bought", "item_owned")]


def town_with(warehouse):
    town = TriggerTown(warehouse)
    warehouse.execute("create table audiences.bought_products (profile_id text, product_id text, bought_at timestamp)")
    return town


@pytest.fixture
def town(warehouse, cdp_home):
    return town_with(warehouse)


def cycle(town):
    return run_cycle(lambda: Shared(town.warehouse), TRIGGERS, lambda: town.now)


def on_lists():
    with running() as server:
        return {name: set(members) for name, members in server.state.audiences().items()}


def reader(town, name="ann", product="tea", **options):
    """Somebody who agreed to advertising and looked at a product."""
    town.person(name, channels=())
    town.consent(name, channel="ads", purpose="advertising")
    town.event(name, "Product Viewed", product=product, cart=None, **options)


def test_a_buyer_leaves_the_list_of_that_product_and_no_other(town):
    reader(town)
    town.event("ann", "Product Viewed", product="jam", cart=None)
    cycle(town)
    assert on_lists() == {"item_tea": {"ann@example.com"}, "item_jam": {"ann@example.com"}}

    town.event("ann", "Product Added", product="tea", minutes_ago=1)
    town.event("ann", "Order Completed", minutes_ago=0)
    cycle(town)

    assert on_lists() == {"item_jam": {"ann@example.com"}}


def test_many_lists_are_brought_in_a_few_transactions(town, monkeypatch):
    committed, once = [], listing.contended
    monkeypatch.setattr(listing, "contended", lambda *work: committed.append(work) or once(*work))
    reader(town)
    for number in range(30):
        town.event("ann", "Product Viewed", product=f"Tea No. {number}/a?", cart=None)
    cycle(town)
    assert len(on_lists()) == 31
    assert len(committed) <= 10


def test_each_answer_has_the_moment_at_which_it_was_given(town):
    seconds = count()
    reader(town)
    for product in ("jam", "milk"):
        town.event("ann", "Product Viewed", product=product, cart=None)
    run_cycle(lambda: Shared(town.warehouse), TRIGGERS, lambda: town.now + timedelta(seconds=next(seconds)))
    found = "select count(*), count(distinct acknowledged_at) from activation.list_answers"
    assert town.warehouse.execute(found) == [(3, 3)]


def test_who_must_leave_a_list_does_before_anybody_enters_another(town, monkeypatch):
    monkeypatch.setattr(listing, "TOGETHER", 1)
    seconds = count()

    def cycle_by_the_second():
        return run_cycle(lambda: Shared(town.warehouse), TRIGGERS, lambda: town.now + timedelta(seconds=next(seconds)))

    reader(town)
    cycle_by_the_second()
    town.event("ann", "Product Viewed", product="jam", cart=None)
    town.event("ann", "Product Added", product="tea", minutes_ago=1)
    town.event("ann", "Order Completed", minutes_ago=0)
    cycle_by_the_second()
    told = town.warehouse.execute("select list_name, operation from activation.list_answers order by acknowledged_at")
    assert told == [("item_tea", "add"), ("item_tea", "remove"), ("item_jam", "add")]


def test_a_purchase_in_a_store_counts_too(town):
    reader(town)
    cycle(town)
    town.now += timedelta(hours=1)
    town.insert("audiences.bought_products", "ann", "tea", town.now - timedelta(minutes=5))

    cycle(town)

    assert on_lists() == {}


def test_who_has_it_is_not_put_on(town):
    reader(town)
    town.order("ann", minutes_ago=60 * 24 * 20, product="tea")

    cycle(town)

    assert on_lists() == {}
    assert set(town.outcomes().values()) == {"bought"}


def test_who_takes_back_their_consent_leaves_every_list(town):
    reader(town)
    reader(town, "bob")
    cycle(town)
    town.consent("ann", is_granted=False, channel="ads", purpose="advertising")

    cycle(town)

    assert on_lists() == {"item_tea": {"bob@example.com"}}


def test_a_cycle_takes_off_whom_something_changed_of_and_a_thorough_look_the_others(town):
    """A consent that has become too old is another answer of the same person, of whom nothing else has changed."""
    for name in ("ann", "bob"):
        reader(town, name)
    cycle(town)
    town.consent("ann", is_granted=None, channel="ads", purpose="advertising")
    town.warehouse.execute("delete from profiles.consents where profile_id = 'bob'")

    def left(look):
        decide(Shared(town.warehouse), TRIGGERS, town.now, look)
        found = "select profile_id from activation.list_members where reason = 'revoked' order by 1"
        return [name for (name,) in town.warehouse.execute(found)]

    assert left(Look.NEW) == ["ann"]
    assert left(Look.NEW) == ["ann"]
    assert left(Look.ALL) == ["ann", "bob"]


def test_who_was_merged_away_is_taken_off_and_comes_back_as_who_they_are_now(town):
    reader(town)
    cycle(town)
    town.person("old", channels=())
    town.consent("old", channel="ads", purpose="advertising")
    town.warehouse.execute("delete from profiles.profiles where profile_id = 'ann'")
    town.consent("ann", is_granted=None, channel="ads", purpose="advertising")
    town.insert("identity.profile_redirects", "ann", "old")
    town.event("old", "Product Viewed", product="tea", cart=None)
    run_cycle(lambda: Shared(town.warehouse), TRIGGERS, lambda: town.now)
    assert on_lists() == {"item_tea": {"old@example.com"}}


def test_who_leaves_is_named_as_they_were_put_on(town):
    reader(town)
    cycle(town)
    town.warehouse.execute("update profiles.profiles set email = 'new@example.com'")
    town.consent("ann", is_granted=None, channel="ads", purpose="advertising")

    cycle(town)

    assert on_lists() == {}


def test_after_a_month_they_are_taken_off_and_a_new_look_begins_another(town):
    reader(town)
    cycle(town)
    town.now += timedelta(days=20)
    town.event("ann", "Product Viewed", product="tea", cart=None)
    cycle(town)
    town.now += timedelta(days=20)
    cycle(town)
    assert on_lists() == {"item_tea": {"ann@example.com"}}

    town.now += timedelta(days=11)
    cycle(town)

    assert on_lists() == {}
    assert town.warehouse.execute("select count(*) from activation.list_members") == [(0,)]


class Platform(PostOffice):
    """Lists by name of the destination's audience."""

    def deliver(self, message_id, operation, identifiers, _fields):
        if message_id in self.known:
            return
        self.known.add(message_id)
        name = identifiers["email"]
        if operation == "remove":
            self.held.discard(name)
        else:
            self.on_sending(name)
            self.held.add(name)


PEOPLE = st.sampled_from(["ann", "bob"])
MOODS = st.lists(
    st.sampled_from(["well", "busy", "down", "lost", "applied", "broken", "die", "apply and die"]), max_size=3
)


class Machine(RuleBasedStateMachine):
    """One product; looks, purchases, second thoughts, faults and deaths."""

    @initialize()
    def settle(self):
        self.connection = duckdb.connect(config={"threads": 1})
        self.town = town_with(DuckDBWarehouse(self.connection))
        self.platform = Platform(on_sending=self.look_at)
        self.platform.held, self.consenting, self.bought, self.wrongs = set(), {}, set(), []
        for name in ("ann", "bob"):
            self.town.person(name, channels=())
            self.choose(name, True)

    def look_at(self, address):
        """Note what is wrong: a dispatcher survives what a destination raises."""
        if not self.consenting[address.split("@")[0]]:
            self.wrongs.append("without consent")

    @invariant()
    def nothing_wrong_has_been_sent(self):
        assert self.wrongs == []

    @rule(name=PEOPLE, is_granted=st.sampled_from([True, False, None]))
    def choose(self, name, is_granted):
        self.consenting[name] = bool(is_granted)
        self.town.consent(name, is_granted, channel="ads", purpose="advertising")

    @rule(name=PEOPLE, minutes_ago=st.integers(0, 60))
    def look(self, name, minutes_ago):
        self.town.event(name, "Product Viewed", product="tea", cart=None, minutes_ago=minutes_ago)

    @rule(name=PEOPLE)
    def buy(self, name):
        self.bought.add(name)
        self.town.event(name, "Product Added", product="tea", minutes_ago=1)
        self.town.event(name, "Order Completed", minutes_ago=0)

    @rule(minutes=st.sampled_from([5, 20, 600]))
    def wait(self, minutes):
        self.town.now += timedelta(minutes=minutes)

    @rule(deaths=st.one_of(st.none(), st.integers(0, 60)), moods=MOODS, look=st.sampled_from(Look))
    def run(self, deaths, moods, look):
        def process(left):
            self.platform.ours = Mortal(Shared(self.town.warehouse), left)
            return self.platform.ours

        self.platform.moods = list(moods)
        with suppress(Killed):
            decide(process(deaths), TRIGGERS, self.town.now, look)
            dispatch(
                lambda: process(deaths), TRIGGERS, lambda: self.town.now,
                load=lambda _: self.platform, sleep=lambda _: None,
            )  # fmt: skip
        self.platform.moods = []

    def teardown(self):
        if not hasattr(self, "platform"):
            return
        for _ in range(3):
            self.town.now += timedelta(hours=2)
            self.run(None, [], Look.ALL)
        assert self.wrongs == []
        assert self.platform.held <= {f"{name}@example.com" for name, agrees in self.consenting.items() if agrees}
        assert not self.platform.held & {f"{name}@example.com" for name in self.bought}
        rows = self.town.warehouse.execute("select profile_id from activation.list_members where is_held")
        assert self.platform.held == {f"{name}@example.com" for (name,) in rows}
        self.connection.close()


def test_whatever_happens_nobody_is_lost_on_a_list():
    examples = 200 if os.environ.get("CDP_TEST_WHOLE") == "1" else 15
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
