"""Any history at all: events in any order, purchases, second thoughts, nights, faults, and deaths between statements.

At the moment a message really leaves: its person consents, has not bought since, isn't in their quiet hours, has not
been told more than the cap allows, and was not told this before. When all is calm again, nothing is left undecided.
"""

import os
from contextlib import suppress
from datetime import timedelta
from zoneinfo import ZoneInfo

import duckdb
import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from mortal import Killed, Mortal
from post_office import PostOffice
from trigger_town import Shared, TriggerTown, checkout_trigger

from reverse_etl.triggers.cycle import decide
from reverse_etl.triggers.decide import decide_due
from reverse_etl.triggers.dispatch import dispatch
from reverse_etl.triggers.occasions import Look
from reverse_etl.triggers.opening import open_triggers
from reverse_etl.triggers.quiet import quiet_until
from reverse_etl.warehouse import DuckDBWarehouse

PEOPLE = st.sampled_from(["ann", "bob", "cleo"])
ZONES = {"ann": "America/New_York", "bob": "Asia/Tokyo", "cleo": None}
MOODS = st.lists(
    st.sampled_from(["well", "busy", "down", "lost", "applied", "broken", "refused", "die", "apply and die"]),
    max_size=3,
)
DEATHS = st.one_of(st.none(), st.none(), st.integers(0, 60))
QUIET = {"from": "21:00", "until": "08:00", "time_zone": "Europe/Berlin"}
SHARED = {"cap": {"messages": 2, "days": 3}, "quiet_hours": QUIET, "holdout": 0}
TRIGGERS = [
    checkout_trigger(name="abandoned", **SHARED),
    checkout_trigger(
        name="looked", when={"event": "Product Viewed"}, reason="product_id", wait="10 minutes", priority=200, **SHARED
    ),
]
LONG = timedelta(days=3)


class Machine(RuleBasedStateMachine):
    """The town, the post office, and a clock that only goes forward."""

    knows_ids = True

    @initialize()
    def settle(self):
        self.connection = duckdb.connect(config={"threads": 1})
        self.warehouse = DuckDBWarehouse(self.connection)
        self.town = TriggerTown(self.warehouse)
        for name, zone in ZONES.items():
            self.town.person(name, zone=zone)
        self.office = PostOffice(knows_ids=self.knows_ids, on_sending=self.look)
        self.bought, self.consenting, self.left, self.wrongs = {}, dict.fromkeys(ZONES, True), [], []

    def look(self, message_id, _operation, identifiers, _fields):
        """Look at a message that leaves at this moment; a dispatcher survives what a destination raises."""
        try:
            self.must_be_right(message_id, identifiers)
        except AssertionError as wrong:
            self.wrongs.append(str(wrong))
            raise

    def must_be_right(self, message_id, identifiers):
        name, now = identifiers["email"].split("@")[0], self.town.now
        [(trigger, reason, occurred_at)] = self.warehouse.execute(
            "select trigger_name, reason, occurred_at from activation.trigger_firings where message_id = ?",
            [message_id],
        )
        assert self.consenting[name], "without consent"
        assert all(at < occurred_at for at in self.bought.get(name, [])), "after a purchase"
        hours = TRIGGERS[0].quiet_hours
        zone = ZoneInfo(ZONES[name]) if ZONES[name] else hours.zone
        assert quiet_until(hours, zone, now) is None, "in quiet hours"
        assert (name, trigger, reason) not in {one[:3] for one in self.left}, "twice"
        lately = [one for one in self.left if one[0] == name and one[3] > now - LONG]
        assert len(lately) < 2, "over the cap"
        self.left.append((name, trigger, reason, now))

    @rule(name=PEOPLE, cart=st.integers(1, 3), minutes_ago=st.integers(0, 180), event=st.booleans())
    def look_or_check_out(self, name, cart, minutes_ago, event):
        what = {"event": "Checkout Started", "cart": f"c{cart}"}
        if event:
            what = {"event": "Product Viewed", "cart": None, "product": f"p{cart}"}
        self.town.event(name, minutes_ago=minutes_ago, **what)

    @rule(name=PEOPLE, minutes_ago=st.integers(0, 90), by_event=st.booleans())
    def buy(self, name, minutes_ago, by_event):
        at = self.town.now - timedelta(minutes=minutes_ago)
        self.bought.setdefault(name, []).append(at)
        if by_event:
            self.town.event(name, "Order Completed", at=at, cart=None)
        else:
            self.town.order(name, at=at)

    @rule(name=PEOPLE, is_granted=st.sampled_from([True, True, False, None]))
    def choose(self, name, is_granted):
        self.consenting[name] = bool(is_granted)
        self.town.consent(name, is_granted)

    @rule(minutes=st.sampled_from([1, 15, 40, 200, 700, 3_000]))
    def wait(self, minutes):
        self.town.now += timedelta(minutes=minutes)

    def process(self, deaths):
        process = Mortal(Shared(self.warehouse), deaths)
        self.office.ours = process
        return process

    @rule(deaths=DEATHS, look=st.sampled_from(Look), triggers=st.permutations(TRIGGERS))
    def decide(self, deaths, look, triggers):
        with suppress(Killed):
            decide(self.process(deaths), triggers, self.town.now, look)

    @rule(deaths=DEATHS, parts=st.lists(st.booleans(), min_size=1, max_size=4))
    def decide_in_parts(self, deaths, parts):
        """As the owner of the warehouse does: each part in a transaction of its own, as often as it likes."""
        process = self.process(deaths)
        with suppress(Killed):
            for is_opening in parts:
                with process.transaction():
                    if is_opening:
                        open_triggers(process, TRIGGERS, self.town.now)
                    else:
                        decide_due(process, TRIGGERS, self.town.now)

    @rule(deaths=DEATHS, moods=MOODS)
    def send(self, deaths, moods):
        self.office.moods = list(moods)
        with suppress(Killed):
            dispatch(
                lambda: self.process(deaths), TRIGGERS, lambda: self.town.now,
                load=lambda *_: self.office, sleep=lambda _: None,
            )  # fmt: skip
        self.office.moods = []

    @rule(name=PEOPLE, cart=st.integers(7, 9), buys=st.booleans(), minutes=st.sampled_from([0, 5, 60]))
    def change_mind_between(self, name, cart, buys, minutes):
        """What was decided hasn't left yet."""
        self.look_or_check_out(name, cart, 60, event=False)
        decide(Shared(self.warehouse), TRIGGERS, self.town.now)
        self.town.now += timedelta(minutes=minutes)
        if buys:
            self.buy(name, 0, by_event=True)
        else:
            self.choose(name, is_granted=False)
        self.send(None, [])

    @rule(name=PEOPLE, cart=st.integers(4, 6), mood=st.sampled_from(["die", "apply and die", "applied"]))
    def die_while_sending(self, name, cart, mood):
        """The request is out, and nobody is left to note the answer; then somebody else takes over."""
        self.look_or_check_out(name, cart, 60, event=False)
        decide(Shared(self.warehouse), TRIGGERS, self.town.now)
        self.send(None, [mood])
        self.town.now += timedelta(minutes=5)
        self.send(None, [])

    @invariant()
    def nothing_wrong_has_left(self):
        assert self.wrongs == []

    @invariant()
    def every_message_was_decided_once(self):
        [(posted, decided)] = self.warehouse.execute(
            "select (select count(*) from activation.outbox), "
            "(select count(*) from activation.trigger_firings where outcome = 'send')"
        )
        assert posted == decided

    def teardown(self):
        if not hasattr(self, "town"):
            return
        for _ in range(8):  # four calm days, at every hour of them
            self.town.now += timedelta(hours=12, minutes=10)
            decide(Shared(self.warehouse), TRIGGERS, self.town.now)
            dispatch(
                lambda: Shared(self.warehouse), TRIGGERS, lambda: self.town.now,
                load=lambda *_: self.office, sleep=lambda _: None,
            )  # fmt: skip
        assert self.warehouse.execute("select count(*) from activation.trigger_firings where outcome is null") == [(0,)]
        assert self.wrongs == []
        states = {state for _, state, _ in self.town.outbox()}
        assert not states & {"pending", "sending", "unknown"}, states
        self.connection.close()


class WithoutIds(Machine):
    knows_ids = False


SETTINGS = settings(
    max_examples=100 if os.environ.get("CDP_TEST_WHOLE") == "1" else 8,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


def test_histories_where_the_destination_knows_ids():
    run_state_machine_as_test(Machine, settings=SETTINGS)


def test_histories_where_it_does_not():
    run_state_machine_as_test(WithoutIds, settings=SETTINGS)
