"""References are counted by identifier: who leaves takes along only what nobody who stays has."""

import pytest
from activation_town import VIP, Remote, sync_now
from crowd import BOTH, Anyway, is_quiet, sync

from reverse_etl.run import preview


def test_who_leaves_is_removed_by_what_nobody_else_has(warehouse, crowd):
    remote = Anyway()
    crowd.are(ann="e1 p1", bob="e1 p2")
    sync(warehouse, remote)
    crowd.are(bob="e1 p2")

    assert sync(warehouse, remote).outcomes["remove"] == {"delivered": 1}

    assert remote.taken_off == [{"phone": "p1"}]
    assert set(remote.members) == {"e1", "p2"}
    assert crowd.held() == ["e1 p2"]
    assert is_quiet(warehouse, remote)


def test_the_last_who_has_an_identifier_takes_it_along(warehouse, crowd):
    remote = Anyway()
    crowd.are(ann="e1 p1", bob="e1 p2", cem="e3")
    sync(warehouse, remote)
    crowd.are(bob="e1 p2", cem="e3")
    sync(warehouse, remote)
    crowd.are(cem="e3")

    sync(warehouse, remote)

    assert remote.taken_off == [{"phone": "p1"}, {"email": "e1", "phone": "p2"}]
    assert set(remote.members) == {"e3"}


def test_who_leaves_together_with_all_who_share_is_removed_whole(warehouse, crowd):
    remote = Anyway()
    crowd.are(ann="e1 p1", bob="e1 p2", cem="e3")
    sync(warehouse, remote)
    crowd.are(cem="e3")

    sync(warehouse, remote)

    assert set(remote.members) == {"e3"}
    assert len(remote.taken_off) == 2


def test_when_others_have_all_of_it_nothing_is_sent_and_it_is_on_record(warehouse, crowd):
    remote = Anyway()
    crowd.are(ann="e1 p1", bob="e1 p2", cem="e2 p1")
    sync(warehouse, remote)
    crowd.are(bob="e1 p2", cem="e2 p1")
    planned, _ = preview(warehouse, BOTH, destination=remote, gate="ignored")
    assert (planned.remove, planned.released) == (0, 1)

    report = sync(warehouse, remote)

    assert (report.requests, report.state) == (0, "succeeded")
    assert report.outcomes == {"release": {"released": 1}}
    assert crowd.released() == [("release", "released", "held_by_others")]
    assert crowd.held() == ["e1 p2", "e2 p1"]
    assert is_quiet(warehouse, remote)


def test_who_takes_back_consent_is_gone_though_somebody_new_has_the_address(warehouse, crowd):
    """Only who is there already may keep an identifier of theirs."""
    remote = Anyway()
    crowd.are(ann="e1 p1", cem="e3")
    sync(warehouse, remote)
    crowd.are(ann="e1 p1", bob="e1 p2", cem="e3")
    crowd.consent("ann", is_granted=False)

    sync(warehouse, remote)

    assert remote.taken_off == [{"email": "e1", "phone": "p1"}]
    assert set(remote.members) == {"e1", "p2", "e3"}


@pytest.mark.parametrize("mood", ["lost", "applied"])
def test_a_removal_without_an_answer_is_another_one_when_others_left_meanwhile(warehouse, crowd, mood):
    """Under its old id the address would be taken for removed."""
    remote = Anyway()
    crowd.are(ann="e1 p1", bob="e1 p2", cem="e3")
    sync(warehouse, remote)
    crowd.are(bob="e1 p2", cem="e3")
    remote.moods = [mood]
    sync(warehouse, remote)
    crowd.are(cem="e3")

    sync(warehouse, remote)

    assert set(remote.members) == {"e3"}
    assert crowd.held() == ["e3"]


def test_the_same_removal_without_an_answer_keeps_its_id(warehouse, crowd):
    remote = Anyway()
    crowd.are(ann="e1 p1", bob="e1 p2")
    sync(warehouse, remote)
    crowd.are(bob="e1 p2")
    remote.moods = ["applied"]
    sync(warehouse, remote)

    sync(warehouse, remote)

    first, second = (rows[0] for rows in remote.requests[-2:])
    assert first == second
    assert len(remote.taken_off) == 1


def test_a_full_resync_counts_too(warehouse, crowd):
    remote = Anyway()
    crowd.are(ann="e1 p1", bob="e1 p2", cem="e3")
    sync(warehouse, remote)
    crowd.are(bob="e1 p2", cem="e3")

    sync(warehouse, remote, kind="resync")

    assert remote.taken_off == [{"phone": "p1"}]
    assert set(remote.members) == {"e1", "p2", "e3"}


def test_identifiers_are_counted_as_delivered_whatever_the_rules_are_now(warehouse, crowd):
    remote = Anyway()
    crowd.are(ann="e1 p1", bob="e1 p2")
    sync(warehouse, remote)
    remote.pepper = "x"
    warehouse.execute("delete from activation.identities")

    sync(warehouse, remote)

    assert set(remote.members) == {"xe1", "xp1", "xp2"}
    assert is_quiet(warehouse, remote)


def test_members_from_before_there_were_counts_are_counted(warehouse, crowd):
    remote = Anyway()
    crowd.are(ann="e1 p1", bob="e1 p2")
    sync(warehouse, remote)
    for table in ("member_identifiers", "identities"):
        warehouse.execute(f"delete from activation.{table}")
    crowd.are(bob="e1 p2")

    sync(warehouse, remote)

    assert remote.taken_off == [{"phone": "p1"}]


def test_a_mapping_to_one_identifier_still_counts_what_was_delivered_with_two(warehouse, crowd):
    remote, mail = Anyway(), BOTH.model_copy(update={"fields": {"email": "email", "amount": "value"}})
    crowd.are(ann="e1 p1", bob="e1 p2")
    sync(warehouse, remote)

    sync_now(warehouse, remote, mail, approve=True)

    assert sorted(one["phone"] for one in remote.taken_off) == ["p1", "p2"]
    assert set(remote.members) == {"e1"}


def test_who_is_gone_leaves_no_identifier_behind(warehouse, crowd):
    remote = Anyway()
    crowd.are(ann="e1 p1", bob="e2 p2")
    sync(warehouse, remote)
    crowd.are(bob="e2 p2")

    sync(warehouse, remote)

    assert warehouse.execute("select count(*) from activation.member_identifiers") == [(2,)]
    assert "e2" not in str(warehouse.execute("select * from activation.member_identifiers"))


def test_a_destination_that_finds_by_one_identifier_counts_nothing(warehouse, town):
    town.audience(["ann", "bob"])
    sync_now(warehouse, Remote(), VIP)
    town.audience(["bob"])
    sync_now(warehouse, Remote(), VIP)

    assert warehouse.execute("select count(*) from activation.member_identifiers") == [(0,)]
