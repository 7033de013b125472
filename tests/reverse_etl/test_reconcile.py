"""What was not answered is settled by reading back where a repeat matters: presence proves, absence doesn't."""

from activation_town import Open, email_of, sync_now


def test_who_is_there_was_delivered_and_is_not_sent_again(warehouse, town):
    town.audience(["ann", "bob", "cem"])
    remote = Open(moods=["applied"], honours_operation_ids=False, is_set=False)
    assert sync_now(warehouse, remote).outcomes == {"add": {"unknown": 3}}

    report = sync_now(warehouse, remote)

    assert report.requests == 0
    assert report.state == "succeeded"
    assert not report.duplicates_possible
    assert len(remote.effects) == 3
    town.audience([])
    sync_now(warehouse, remote, approve=True)
    assert remote.names == set()


def test_who_is_not_there_is_sent_again(warehouse, town):
    town.audience(["ann"])
    remote = Open(moods=["lost"], is_set=False)
    sync_now(warehouse, remote)

    assert sync_now(warehouse, remote).outcomes == {"add": {"delivered": 1}}


def test_a_change_without_an_answer_is_sent_again_though_the_member_is_there(warehouse, town):
    remote = Open()
    town.audience({"ann": {}})
    sync_now(warehouse, remote)
    town.audience({"ann": {"amount": 2}})
    remote.moods = ["lost"]
    sync_now(warehouse, remote)

    sync_now(warehouse, remote)

    assert remote.members[email_of("ann")]["amount"] == 2


def test_a_list_that_cannot_be_read_settles_nothing_and_stops_nothing(warehouse, town):
    town.audience(["ann"])
    remote = Open(moods=["applied"], is_set=False)
    sync_now(warehouse, remote)
    remote.lists = False

    assert sync_now(warehouse, remote).outcomes == {"add": {"delivered": 1}}


def test_where_a_repeat_changes_nothing_it_is_sent_again_and_no_list_is_read(warehouse, town):
    town.audience(["ann"])
    remote = Open(moods=["applied"])
    sync_now(warehouse, remote)

    assert sync_now(warehouse, remote).outcomes == {"add": {"delivered": 1}}
    assert remote.pages == 0
