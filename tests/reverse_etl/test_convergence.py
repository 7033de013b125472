"""Whatever happened on the way: the destination becomes the last consented audience, and the next plan is empty.

Histories are drawn of audiences, addresses, consents, answers and deaths at any statement.
"""

import os
from contextlib import suppress

import duckdb
import pytest
from activation_town import VIP, Town, email_of, sync_now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mortal import Fatal, Killed, Mortal

from reverse_etl.run import preview
from reverse_etl.warehouse import DuckDBWarehouse

WHOLE = os.environ.get("CDP_TEST_WHOLE") == "1"
NAMES = ["ann", "bob", "cem", "dan", "eve"]
ADDRESSES = [None, *map(email_of, ["one", "two", "three", "four"])]
MOODS = ["well", "busy", "down", "lost", "applied", "broken", "mute", "die", "apply and die", "strict", 401]

people = st.dictionaries(
    st.sampled_from(NAMES),
    st.fixed_dictionaries(
        {
            "email": st.sampled_from(ADDRESSES),
            "first_name": st.sampled_from([None, "", "Ann", "Bea", "Poison", "[First_Name]"]),
            "amount": st.integers(0, 1),
        }
    ),
)
steps = st.fixed_dictionaries(
    {
        "people": people,
        "consents": st.fixed_dictionaries({name: st.sampled_from([True, True, False, None]) for name in NAMES}),
        "moods": st.lists(st.sampled_from(MOODS), max_size=4),
        "dies_after": st.one_of(st.none(), st.integers(0, 80)),
        "batch_rows": st.integers(1, 3),
    }
)


def live_through(warehouse, town, remote, step):
    """One step of a history: the world changes, and a run is tried that may fail or be killed."""
    town.audience(step["people"], consenting=False)
    for name, is_granted in step["consents"].items():
        town.consent(name, is_granted)
    remote.moods = list(step["moods"])
    remote.batch_rows = step["batch_rows"]
    remote.ours = Mortal(warehouse, step["dies_after"])
    before = len(remote.requests)
    with suppress(Killed, Exception):
        sync_now(remote.ours, remote, approve=True)
    allowed = {row["email"] for name, row in step["people"].items() if step["consents"][name]}
    for request in remote.requests[before:]:
        for _, operation, identifiers, _ in request:
            assert operation == "remove" or identifiers["email"] in allowed, "sent without consent"


def heal(warehouse, remote):
    """Runs in which nothing goes wrong, until there is nothing to do."""
    remote.moods = []
    for _ in range(3):
        sync_now(warehouse, remote, approve=True)
    planned, _ = preview(warehouse, VIP, destination=remote, gate="ignored")
    assert planned.size == 0, "the next plan is empty"


def expected_members(step):
    """Address → fields of the one who speaks for it, None where that one is unfit to be sent."""
    members = {}
    for name in sorted(step["people"]):
        row = step["people"][name]
        if not step["consents"][name] or not row["email"] or row["email"] in members:
            continue
        is_unfit = row["first_name"] in {"Poison", "[First_Name]"}
        members[row["email"]] = None if is_unfit else {"external_id": name, **row}
    return members


def is_as_expected(remote, step):
    """Unfit members may linger as they were; nobody else may be there, and all others as they are now."""
    expected = expected_members(step)
    assert set(remote.members) <= set(expected), "somebody was not removed"
    for email, fields in expected.items():
        if fields is not None:
            assert remote.members[email] == fields


@settings(
    max_examples=400 if WHOLE else 15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(history=st.lists(steps, min_size=1, max_size=5), honours=st.booleans())
def test_the_destination_converges_to_the_last_consented_audience(history, honours):
    warehouse = DuckDBWarehouse(duckdb.connect(config={"threads": 1}))
    town, remote = Town(warehouse), Fatal(honours_operation_ids=honours)
    for step in history:
        live_through(warehouse, town, remote, step)

    heal(warehouse, remote)

    is_as_expected(remote, history[-1])
    held = {found for (found,) in town.warehouse.execute("select identifiers from activation.journal where is_held")}
    assert len(held) >= len(remote.members), "somebody is at the destination whom the journal doesn't know"


@settings(max_examples=300 if WHOLE else 10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    moods=st.lists(st.sampled_from(MOODS), max_size=6),
    deaths=st.lists(st.integers(0, 80), max_size=3),
    batch_rows=st.integers(1, 5),
)
def test_nobody_is_sent_twice_where_operation_ids_are_honoured(moods, deaths, batch_rows):
    warehouse = DuckDBWarehouse(duckdb.connect(config={"threads": 1}))
    town, remote = Town(warehouse), Fatal(batch_rows=batch_rows, moods=list(moods))
    town.audience(NAMES)
    for dies_after in [*deaths, *([None] * len(moods))]:
        remote.ours = Mortal(warehouse, dies_after)
        with suppress(Killed, Exception):
            sync_now(remote.ours, remote)

    heal(warehouse, remote)

    assert sorted(remote.effects) == sorted(("put", email_of(name)) for name in NAMES)


@pytest.mark.parametrize("dies_after", range(0, 60, 1 if WHOLE else 11))
def test_death_at_any_statement_is_survived(warehouse, town, dies_after):
    """The same on each engine, one death per run, over additions, changes and removals."""
    remote = Fatal(batch_rows=2)
    town.audience(NAMES)
    sync_now(warehouse, remote)
    town.audience({"ann": {"amount": 2}, "bob": {}, "fay": {}})
    remote.ours = Mortal(warehouse, dies_after, is_row_store=warehouse.is_row_store)
    with suppress(Killed):
        sync_now(remote.ours, remote, approve=True)

    sync_now(warehouse, remote, approve=True)

    assert remote.names == {"ann", "bob", "fay"}
    assert len(remote.effects) == len(NAMES) + 1 + 1 + 3
