"""Drift: how a destination differs from the journal, as far as it tells, in counts."""

import pytest
from activation_town import VIP, Open, Remote, email_of, sync_now

from reverse_etl.destination import DestinationRefused, Request, Response
from reverse_etl.drift import QUESTIONS, drift
from reverse_etl.journal import open_journal
from reverse_etl.lease import SyncBusy, lease
from reverse_etl.read_back import Tells


def differences(warehouse, remote, sync=VIP):
    return drift(warehouse, sync, remote, sleep=lambda _: None)


def test_it_counts_who_is_missing_and_who_is_unknown(warehouse, town):
    remote = Open()
    town.audience(["ann", "bob", "cem"])
    sync_now(warehouse, remote)
    assert not differences(warehouse, remote).differs
    remote.members.pop(email_of("ann"))
    remote.members["stranger@example.com"] = {}

    found = differences(warehouse, remote)

    assert (found.ours, found.theirs, found.missing, found.unexpected) == (3, 3, 1, 1)
    assert found.differs
    assert "@" not in str(found) + str(found.as_dict())


def test_a_list_that_cannot_be_read_is_said(warehouse, town):
    town.audience(["ann"])
    remote = Open()
    sync_now(warehouse, remote)
    remote.lists = False

    with pytest.raises(DestinationRefused, match="can't be read"):
        differences(warehouse, remote)
    assert remote.pages == 4  # a question changes nothing: it is asked again


def test_who_was_not_answered_may_be_there_or_not(warehouse, town):
    town.audience(["ann", "bob"])
    remote = Open(moods=["lost"])
    sync_now(warehouse, remote)

    assert not differences(warehouse, remote).differs


class Knowing(Remote):
    """A place that can be asked for two at once whether they are there, in capitals."""

    looked_up_at_once = 2

    def look_up(self, members):
        asked = [member["email"] for member in members]
        self.asked = [*getattr(self, "asked", []), *asked]
        return Request("/look", ",".join(asked).encode(), method="LOOK")

    def held(self, response):
        return [{"email": email.upper()} for email in response.body.decode().split(",") if email in self.members]

    def known_as(self, identifiers):
        return {"email": str(identifiers["email"]).upper()}

    def send(self, request):
        return Response(200, request.body) if request.method == "LOOK" else super().send(request)


def test_where_members_are_found_by_key_only_they_are_looked_up(warehouse, town):
    remote = Knowing()
    town.audience(["ann", "bob", "cem"])
    sync_now(warehouse, remote)
    remote.members.pop(email_of("bob"))

    found = differences(warehouse, remote)

    assert (found.tells, found.asked, found.missing, found.unexpected) == (Tells.PRESENCE, 3, 1, None)
    assert found.differs


def test_many_are_a_sample_and_another_one_tomorrow(warehouse, town, monkeypatch):
    monkeypatch.setattr("reverse_etl.drift.QUESTIONS", 2)
    assert QUESTIONS > 2
    remote = Knowing()
    town.audience([f"p{n}" for n in range(40)])
    sync_now(warehouse, remote)

    samples = []
    for day in ("2026-11-01", "2026-11-02"):
        monkeypatch.setenv("CDP_NOW", day)
        remote.asked = []
        assert differences(warehouse, remote).asked == 4
        samples.append(set(remote.asked))

    assert samples[0] != samples[1]


class Counting(Remote):
    """A place that tells how many members it has."""

    count = 1

    def read_back(self):
        return Request("/size", b"[]", method="GET")

    def size(self, _):
        return self.count


def test_a_place_may_tell_only_how_many(warehouse, town):
    remote = Counting()
    town.audience(["ann", "bob"])
    sync_now(warehouse, remote)

    found = differences(warehouse, remote)

    assert (found.ours, found.theirs, found.missing) == (2, 1, None)
    assert found.differs
    remote.count = None
    assert not differences(warehouse, remote).differs


class Matching(Counting):
    """An ad platform: it tells how many people it recognised."""

    tells = Tells.MATCHED


def test_who_was_not_matched_is_no_difference(warehouse, town):
    remote = Matching()
    town.audience(["ann", "bob", "cem", "dora"])
    sync_now(warehouse, remote)

    found = differences(warehouse, remote)

    assert not found.differs
    assert found.theirs is None
    assert found.as_dict()["match_rate"] == 0.25
    assert "4 members sent, 1 matched there (25%)" in str(found)


def test_a_place_that_tells_nothing_and_a_sync_that_holds_nobody(warehouse, town):
    open_journal(warehouse)
    assert differences(warehouse, Remote()).tells is Tells.NOTHING
    events = VIP.model_copy(update={"mode": "append_events"})

    assert differences(warehouse, Open(), events).tells is Tells.NOTHING


def test_nothing_is_compared_while_a_run_is_under_way(warehouse, town):
    remote = Open()
    town.audience(["ann"])
    sync_now(warehouse, remote)

    with lease(warehouse, VIP.name), pytest.raises(SyncBusy):
        differences(warehouse, remote)
