"""Any history of people who share addresses and phones, at a place where any one of the two finds them.

After runs in which nothing goes wrong the place has every identifier that somebody wanted has, and no other; the next
plan is empty; and at every moment whatever is there is somebody's in the journal.

With CDP_TEST_WHOLE=1 it takes 5 minutes of one core (300 histories of 25 steps).
"""

import json
import os
from contextlib import suppress

import duckdb
import hypothesis.strategies as st
from activation_town import sync_now
from crowd import BOTH, Anyway, Crowd
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from mortal import Killed, Mortal

from reverse_etl.run import preview
from reverse_etl.tables import open_journal
from reverse_etl.warehouse import DuckDBWarehouse

WHOLE = os.environ.get("CDP_TEST_WHOLE") == "1"
REFUSED = 13
NAMES = st.sampled_from(["ann", "bob", "cem", "dan"])
WORDS = st.sampled_from(["", "e1", "p1", "e1 p1", "e1 p2", "e2 p1", "e2 p2", "e2", "p2"])
MOODS = st.sampled_from(["well", "busy", "down", "lost", "applied", "broken", "mute", "die", "apply and die", 401])
MAPPINGS = st.sampled_from([BOTH.fields, BOTH.fields, {"email": "email", "amount": "value"}])


class SharedHistories(RuleBasedStateMachine):
    """The world, and a model of which identifiers should be where."""

    @initialize(honours=st.booleans(), words=st.lists(WORDS, min_size=4, max_size=4))
    def begin(self, honours, words):
        self.warehouse = DuckDBWarehouse(duckdb.connect(config={"threads": 1}))
        self.crowd = Crowd(self.warehouse)
        open_journal(self.warehouse)
        self.remote = Anyway(honours_operation_ids=honours)
        self.people, self.amounts, self.consents, self.sync = {}, {}, {}, BOTH
        for name, has in zip(("ann", "bob", "cem", "dan"), words, strict=True):
            self.be(name, has, amount=1)
        self.run_undisturbed("run")

    @rule(name=NAMES, words=WORDS, amount=st.sampled_from([1, 1, 2, REFUSED]))
    def be(self, name, words, amount):
        self.people[name], self.amounts[name] = words, amount
        self.choose(name, choice=True)
        self.store()

    @rule(name=NAMES)
    def leave(self, name):
        self.people.pop(name, None)
        self.store()

    @rule(name=NAMES, choice=st.sampled_from([True, False, None]))
    def choose(self, name, choice):
        self.consents[name] = choice
        self.crowd.consent(name, choice)

    @rule(fields=MAPPINGS)
    def map_otherwise(self, fields):
        self.sync = BOTH.model_copy(update={"fields": fields})

    @rule(pepper=st.sampled_from(["", "x"]))
    def identify_otherwise(self, pepper):
        self.remote.pepper = pepper
        self.warehouse.execute("delete from activation.identities")

    @rule(
        moods=st.lists(MOODS, max_size=3),
        dies_after=st.sampled_from([None] * 30 + list(range(10, 90))),
        batch_rows=st.integers(1, 3),
        kind=st.sampled_from(["run", "run", "resync", "retry-rejected"]),
    )
    def run(self, moods, dies_after, batch_rows, kind):
        self.remote.moods, self.remote.batch_rows = list(moods), batch_rows
        self.remote.ours = Mortal(self.warehouse, dies_after)
        with suppress(Killed, Exception):
            sync_now(self.remote.ours, self.remote, self.sync, approve=True, kind=kind)

    @rule(kind=st.sampled_from(["run", "resync"]))
    def run_undisturbed(self, kind):
        self.remote.moods, self.remote.batch_rows = [], 3
        sync_now(self.warehouse, self.remote, self.sync, approve=True, kind=kind)

    @rule()
    def converge(self):
        self.remote.moods = []
        for _ in range(3):
            sync_now(self.warehouse, self.remote, self.sync, approve=True)
        wanted, tolerated = self.wanted()
        assert wanted <= set(self.remote.members), "somebody's identifier was taken along"
        assert set(self.remote.members) <= wanted | tolerated, "an identifier was not removed"
        planned, _ = preview(self.warehouse, self.sync, destination=self.remote, gate="ignored")
        assert planned.size + planned.released == 0, "the next plan is empty"

    @invariant()
    def nothing_is_lost_track_of(self):
        """Whatever is there would be removed with the last who has it."""
        if hasattr(self, "remote"):
            known = self.warehouse.execute(
                "select identifiers from activation.journal "
                "where identifiers is not null and (is_held or pending_operation is not null)"
            )
            assert set(self.remote.members) <= {value for (found,) in known for value in json.loads(found).values()}

    def teardown(self):
        if hasattr(self, "remote"):
            self.converge()
            self.warehouse.close()

    def store(self):
        self.crowd.are(self.amounts, consenting=False, **self.people)

    def wanted(self):
        """Identifiers that must be there; and those of members who were refused as they are now."""
        members, names = {}, {"e": "email", "p": "phone"}
        for name in sorted(self.people):
            words = [w for w in self.people[name].split() if names[w[0]] in self.sync.fields]
            found = frozenset(self.remote.pepper + word for word in words)
            if found and self.consents.get(name):
                members.setdefault(found, self.amounts[name] == REFUSED)
        parts = {is_refused: [found for found, how in members.items() if how == is_refused] for is_refused in (0, 1)}
        return frozenset().union(*parts[0]), frozenset().union(*parts[1])


def test_every_history_of_shared_identifiers_converges():
    run_state_machine_as_test(
        SharedHistories,
        settings=settings(
            max_examples=300 if WHOLE else 12,
            stateful_step_count=25 if WHOLE else 12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
