"""Which fields differ from what was last delivered: known where the destination asks, and only when it is certain."""

from dataclasses import replace

import pytest
from activation_town import VIP, Remote, sync_now

SYNC = VIP.model_copy(update={"fields": {"email": "email", "first_name": "first_name", "amount": "amount"}})


class Billed(Remote):
    """A place that bills what is written, and keeps what it was told of each change."""

    asks = True

    @property
    def spec(self):
        return replace(super().spec, names_changes=self.asks)

    def request(self, rows):
        self.told = [None if row.changed is None else sorted(row.changed) for row in rows]
        return super().request(rows)


@pytest.fixture
def remote(warehouse, town):
    remote = Billed()
    town.audience({"ann": {"first_name": "Ann"}})
    sync_now(warehouse, remote, SYNC)
    assert remote.told == [None]  # the first time all are new
    return remote


def change(warehouse, town, remote, sync=SYNC, kind="run", **row):
    town.audience({"ann": row})
    remote.told = []
    sync_now(warehouse, remote, sync, kind=kind)
    return remote.told


def test_only_what_changed_is_named(warehouse, town, remote):
    assert change(warehouse, town, remote, first_name="Anna") == [["first_name"]]
    assert change(warehouse, town, remote, first_name=None, amount=2) == [["amount", "first_name"]]
    assert change(warehouse, town, remote, first_name="", amount=2) == [["first_name"]]
    assert change(warehouse, town, remote, first_name="", amount=2) == []


def test_a_resync_sends_everything(warehouse, town, remote):
    assert change(warehouse, town, remote, first_name="Anna", kind="resync") == [None]
    assert change(warehouse, town, remote, first_name="Bea") == [["first_name"]]


def test_a_field_mapped_anew_is_a_changed_one(warehouse, town, remote):
    renamed = SYNC.model_copy(update={"fields": {"email": "email", "first_name": "name", "amount": "amount"}})

    assert change(warehouse, town, remote, renamed, first_name="Ann") == [["name"]]


@pytest.mark.parametrize("mood", ["lost", "applied", "broken"])
def test_after_a_send_without_an_answer_everything_is_sent(warehouse, town, remote, mood):
    """Nobody knows which version is there."""
    remote.moods = [mood]
    change(warehouse, town, remote, first_name="Anna")

    assert change(warehouse, town, remote, first_name="Anna") == [None]
    assert change(warehouse, town, remote, first_name="Anna", amount=3) == [["amount"]]


def test_a_change_that_was_put_off_or_rejected_is_compared_with_what_was_delivered(warehouse, town, remote):
    remote.moods = ["busy"]
    change(warehouse, town, remote, first_name="Anna")
    assert change(warehouse, town, remote, first_name="Anna", amount=2) == [["amount", "first_name"]]
    change(warehouse, town, remote, first_name="Poison", amount=2)

    assert change(warehouse, town, remote, first_name="Anna", amount=3) == [["amount"]]


def test_who_comes_back_is_new(warehouse, town, remote):
    town.audience(["bob"])
    sync_now(warehouse, remote, SYNC, approve=True)

    assert change(warehouse, town, remote, first_name="Ann") == [None]


def test_the_journal_keeps_no_value_and_two_people_with_one_value_differ(warehouse, town, remote):
    town.audience({"ann": {"first_name": "Ann"}, "bob": {"first_name": "Ann"}})
    sync_now(warehouse, remote, SYNC)

    kept = [found for (found,) in town.journal("delivered_fields")]
    assert "Ann" not in str(kept)
    assert len(set(kept)) == 2


def test_a_destination_that_does_not_ask_costs_nothing(warehouse, town, remote):
    remote.asks = False
    assert change(warehouse, town, remote, first_name="Anna") == [None]
    assert town.journal("delivered_fields") == [(None,)]
    remote.asks = True
    assert change(warehouse, town, remote, first_name="Bea") == [None]
