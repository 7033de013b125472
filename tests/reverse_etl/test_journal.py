"""What the journal knows of who was sent, rejected or never answered: nobody is lost, nothing goes twice."""

import json

from activation_town import Remote, email_of, sync_now


def test_a_rejected_row_waits_until_it_changes(warehouse, town):
    remote = Remote()
    town.audience({"ann": {}, "bob": {"first_name": "Poison"}})
    report = sync_now(warehouse, remote)
    assert report.outcomes == {"add": {"delivered": 1, "rejected": 1}}
    assert report.state == "partial"
    assert report.reasons == {"told": 1}
    assert sync_now(warehouse, remote).requests == 0

    town.audience(["ann", "bob"])

    assert sync_now(warehouse, remote).outcomes == {"add": {"delivered": 1}}
    assert remote.names == {"ann", "bob"}


def test_a_rejected_change_leaves_the_member_removable(warehouse, town):
    remote = Remote()
    town.audience(["ann", "bob"])
    sync_now(warehouse, remote)
    town.audience({"ann": {}, "bob": {"first_name": "Poison"}})
    sync_now(warehouse, remote)
    town.audience(["ann"])

    sync_now(warehouse, remote)

    assert remote.names == {"ann"}


def test_who_was_never_accepted_leaves_no_address_behind_and_no_removal(warehouse, town):
    remote = Remote()
    town.audience({"bob": {"first_name": "Poison"}})
    sync_now(warehouse, remote)
    assert town.journal("identifiers") == [(None,)]
    town.audience(["ann"])

    assert sync_now(warehouse, remote).outcomes == {"add": {"delivered": 1}}
    assert len(town.journal()) == 1


def test_what_was_sent_but_not_answered_is_sent_again_under_its_id(warehouse, town):
    town.audience(["ann"])
    remote = Remote(moods=["applied"])
    first = sync_now(warehouse, remote)
    assert first.outcomes == {"add": {"unknown": 1}}
    assert first.state == "partial"

    second = sync_now(warehouse, remote)

    assert second.outcomes == {"add": {"delivered": 1}}
    assert remote.requests[0][0][0] == remote.requests[1][0][0]
    assert remote.effects == [("put", email_of("ann"))]
    assert not second.duplicates_possible


def test_who_leaves_after_an_unanswered_send_is_removed(warehouse, town):
    """The trap of journals that only know acknowledgements."""
    town.audience(["ann"])
    remote = Remote(moods=["applied"])
    sync_now(warehouse, remote)
    town.audience(["bob"])

    sync_now(warehouse, remote)

    assert remote.names == {"bob"}


def test_an_unanswered_send_stays_removable_after_a_later_payload_was_rejected(warehouse, town):
    town.audience(["ann", "bob"])
    remote = Remote(moods=["applied"])
    sync_now(warehouse, remote)
    town.audience({"ann": {"first_name": "Poison"}, "bob": {}})
    sync_now(warehouse, remote)
    town.audience(["bob"])

    sync_now(warehouse, remote)

    assert remote.names == {"bob"}


def test_a_busy_answer_to_a_repeat_does_not_make_it_a_new_operation(warehouse, town):
    town.audience(["ann"])
    remote = Remote()
    for mood in ("applied", "busy", "well"):
        remote.moods = [mood]
        sync_now(warehouse, remote)

    assert remote.effects == [("put", email_of("ann"))]


def test_a_change_taken_back_after_no_answer_is_sent_all_the_same(warehouse, town):
    """The destination may hold the new name: to be the old again is news to it, also after a busy answer."""
    remote = Remote()
    for name, mood in (("Old", "well"), ("New", "applied"), ("Old", "busy"), ("Old", "well")):
        town.audience({"ann": {"first_name": name}})
        remote.moods = [mood]
        sync_now(warehouse, remote)

    assert remote.members[email_of("ann")]["first_name"] == "Old"


def test_a_rejected_change_taken_back_costs_no_request(warehouse, town):
    remote = Remote()
    for name in ("Ann", "Poison", "Ann"):
        town.audience({"ann": {"first_name": name}})
        report = sync_now(warehouse, remote)

    assert report.requests == 0


def test_the_same_payload_after_a_removal_is_a_new_operation(warehouse, town):
    """A destination that honours ids must not take the return for a replay."""
    remote = Remote()
    for people in (["ann", "bob"], ["bob"], ["ann", "bob"]):
        town.audience(people)
        sync_now(warehouse, remote, approve=True)
    assert remote.names == {"ann", "bob"}


def test_what_was_never_sent_is_not_removed_either(warehouse, town):
    """A busy destination took nothing: to send a removal would only now tell it who Ann is."""
    town.audience(["ann"])
    remote = Remote(moods=["busy"])
    sync_now(warehouse, remote)
    town.audience([])

    assert sync_now(warehouse, remote).requests == 0
    assert town.journal() == []


def test_duplicates_are_announced_where_the_destination_knows_no_ids(warehouse, town):
    town.audience(["ann"])
    remote = Remote(moods=["applied"], honours_operation_ids=False, is_set=False)
    assert not sync_now(warehouse, remote).duplicates_possible

    assert sync_now(warehouse, remote).duplicates_possible


def test_the_journal_keeps_no_payload(warehouse, town):
    town.audience({"ann": {"amount": 4711, "first_name": "Annemarie"}})
    sync_now(warehouse, Remote())

    kept = json.dumps(town.journal(), default=str)

    assert email_of("ann") in kept
    assert "4711" not in kept
    assert "Annemarie" not in kept
