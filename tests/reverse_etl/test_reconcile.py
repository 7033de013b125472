"""Reading back: presence settles what was not answered, absence proves nothing, and drift is counted."""

import json

import pytest
from activation_town import VIP, Remote, email_of, sync_now

from reverse_etl.destination import DestinationRefused, Request, Response
from reverse_etl.reconcile import drift


class Open(Remote):
    """A remote place that tells who its members are, two a page."""

    lists = True

    def read_back(self):
        return Request("/members?from=0", b"", method="GET")

    def held(self, response):
        return [{"email": email} for email in response.json()["members"]]

    def more(self, response):
        following = response.json()["next"]
        return Request(f"/members?from={following}", b"", method="GET") if following else None

    def send(self, request):
        if not request.path.startswith("/members"):
            return super().send(request)
        if not self.lists:
            return Response(500)
        first, everybody = int(request.path.split("=")[1]), sorted(self.members)
        page = {"members": everybody[first : first + 2], "next": first + 2 if first + 2 < len(everybody) else 0}
        return Response(200, json.dumps(page).encode())


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
    remote = Open(moods=["lost"])
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
    remote = Open(moods=["applied"])
    sync_now(warehouse, remote)
    remote.lists = False

    assert sync_now(warehouse, remote).outcomes == {"add": {"delivered": 1}}


def test_drift_counts_who_is_missing_and_who_is_unknown(warehouse, town):
    remote = Open()
    town.audience(["ann", "bob", "cem"])
    sync_now(warehouse, remote)
    assert not drift(warehouse, VIP, remote).differs
    remote.members.pop(email_of("ann"))
    remote.members["stranger@example.com"] = {}

    found = drift(warehouse, VIP, remote)

    assert (found.ours, found.theirs, found.missing, found.unexpected) == (3, 3, 1, 1)
    assert found.differs
    assert "@" not in str(found.as_dict())
    remote.lists = False
    with pytest.raises(DestinationRefused, match="can't be read"):
        drift(warehouse, VIP, remote)


def test_a_place_may_tell_only_how_many(warehouse, town):
    class Counting(Remote):
        def read_back(self):
            return Request("/size", b"[]", method="GET")

        def size(self, _):
            return len(self.members) - 1

    remote = Counting()
    town.audience(["ann", "bob"])
    sync_now(warehouse, remote)

    found = drift(warehouse, VIP, remote)

    assert (found.ours, found.theirs, found.missing) == (2, 1, None)
    assert found.differs
    assert drift(warehouse, VIP, Remote()).theirs is None
