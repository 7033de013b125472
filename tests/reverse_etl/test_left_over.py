"""What a removal left to somebody who then isn't there is removed all the same."""

from contextlib import suppress

import pytest
from crowd import Anyway, is_quiet, sync
from mortal import Killed, Mortal


def test_one_changed_identifier_takes_only_that_one_off(warehouse, crowd):
    """The address goes over to the new version of the row, and is never off the list."""
    remote = Anyway()
    crowd.are(ann="e1 p1")
    sync(warehouse, remote)
    crowd.are(ann="e1 p2")

    report = sync(warehouse, remote)

    assert remote.taken_off == [{"phone": "p1"}]
    assert set(remote.members) == {"e1", "p2"}
    assert report.outcomes["release"] == {"released": 1}
    assert crowd.held() == ["e1 p2"]
    assert is_quiet(warehouse, remote)


@pytest.mark.parametrize("mood", ["lost", "applied", "broken", "busy"])
def test_what_goes_over_to_a_row_that_does_not_arrive_is_not_lost(warehouse, crowd, mood):
    remote = Anyway()
    crowd.are(ann="e1 p1", cem="e3")
    sync(warehouse, remote)
    crowd.are(ann="e1 p2", cem="e3")
    remote.moods = ["well", mood]
    sync(warehouse, remote)
    crowd.are(cem="e3")

    sync(warehouse, remote)

    assert set(remote.members) == {"e3"}
    assert crowd.held() == ["e3"]


def test_what_goes_over_to_a_row_that_is_rejected_is_removed_with_the_next_run(warehouse, crowd):
    remote = Anyway()
    crowd.are(ann="e1 p1", cem="e3")
    sync(warehouse, remote)
    crowd.are({"ann": 13}, ann="e1 p2", cem="e3")
    sync(warehouse, remote)
    assert crowd.held() == ["e1", "e3"]

    sync(warehouse, remote)

    assert set(remote.members) == {"e3"}
    assert is_quiet(warehouse, remote)


@pytest.mark.parametrize("dies_after", range(0, 75, 6))
def test_death_at_any_statement_loses_no_identifier(warehouse, crowd, dies_after):
    remote = Anyway(batch_rows=2)
    crowd.are(ann="e1 p1", bob="e1 p2", cem="e2 p2", dan="e4 p4")
    sync(warehouse, remote)
    crowd.are(ann="e1 p9", cem="e2 p2", dan="e5 p4")
    remote.ours = Mortal(warehouse, dies_after, is_row_store=warehouse.is_row_store)
    with suppress(Killed):
        sync(remote.ours, remote)

    sync(warehouse, remote)

    assert set(remote.members) == {"e1", "p9", "e2", "p2", "e5", "p4"}
    assert crowd.held() == ["e1 p9", "e2 p2", "e5 p4"]
    assert is_quiet(warehouse, remote)
