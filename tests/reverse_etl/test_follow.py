"""Conversations of more than one question: jobs to wait for, second steps, rows an answer points at, pace."""

import json

import pytest
from activation_town import Remote, sync_now
from test_deliver import conversation, outcomes

from reverse_etl.destination import DestinationRefused, Follow, NoAnswer, Request, Response
from reverse_etl.testing import sample


class Job(Remote):
    """The first answer is a job's name; it is done after `polls` questions."""

    polls = 2

    def follow(self, _, response):
        said = response.json()
        if "job" not in said:
            return None
        return Follow(Request("/job", said["job"].encode(), method="GET"), wait_seconds=3)

    def outcomes(self, rows, response):
        self.trail = [earlier.status for earlier in response.earlier]
        return super().outcomes(rows, response)

    def send(self, request):
        if request.path == "/job":
            self.polls -= 1
            if isinstance(self.polls_answer, BaseException):
                raise self.polls_answer
            if isinstance(self.polls_answer, Response):
                return self.polls_answer
            return Response(200, json.dumps({"job": "j"} if self.polls else self.done).encode())
        self.done = super().send(request).json()
        return Response(202, b'{"job": "j"}')

    polls_answer = None


def test_a_job_is_polled_until_it_is_done_and_the_answers_are_kept():
    remote = Job()
    delivery, clock = conversation(remote)

    assert outcomes(delivery.deliver(sample(remote))) == ["delivered"] * 3
    assert clock.slept == [3, 3]
    assert remote.trail == [202, 200]
    assert not delivery.was_repeated


def test_a_job_that_outlasts_the_run_is_unknown():
    remote = Job()
    remote.polls = 1_000
    delivery, _ = conversation(remote, deadline=10)

    receipts = delivery.deliver(sample(remote))

    assert outcomes(receipts) == ["unknown"] * 3
    assert receipts[0].code == "still_running"


@pytest.mark.parametrize("answer", [NoAnswer(), Response(429), Response(404), Response(401)])
def test_whatever_goes_wrong_after_the_first_step_leaves_rows_unknown(answer):
    remote = Job(attempts=1)
    remote.polls_answer = answer
    delivery, _ = conversation(remote)

    assert set(outcomes(delivery.deliver(sample(remote)))) == {"unknown"}


class TwoSteps(Remote):
    """People are written first, and then put on the list: a request with Poison in it is refused at the second step."""

    written = ()
    refuses = "Poison"

    def follow(self, _, response):
        return None if response.earlier else Follow(Request("/list", response.body))

    def outcomes(self, rows, response):
        return super().outcomes(rows, response)

    def send(self, request):
        if request.path != "/list":
            self.written = json.loads(request.body)
            answer = {row[0]: "delivered" for row in self.written}
            self.requests.append(self.written)
            return Response(200, json.dumps(answer).encode())
        if any(self.refuses in json.dumps(row) for row in self.written):
            return Response(400)
        return Response(200, json.dumps({row[0]: self.apply(*row) for row in self.written}).encode())


def test_a_row_refused_at_the_second_step_is_rejected_with_the_reason(warehouse, town):
    town.audience({"ann": {}, "bob": {"first_name": "Poison"}, "cem": {}})
    remote = TwoSteps()

    report = sync_now(warehouse, remote)

    assert report.outcomes == {"add": {"delivered": 2, "rejected": 1}}
    assert report.reasons == {"http_400": 1}
    assert remote.names == {"ann", "cem"}
    assert sync_now(warehouse, remote).requests == 0
    assert sync_now(warehouse, remote, kind="retry-rejected").outcomes == {"change": {"rejected": 1}}


def test_what_the_first_step_did_stays_removable_after_a_refusal_at_the_second(warehouse, town):
    town.audience({"ann": {}, "bob": {"first_name": "Poison"}})
    remote = TwoSteps()
    sync_now(warehouse, remote)
    town.audience(["ann"])

    sync_now(warehouse, remote)

    assert [row[1:3] for row in remote.requests[-1]] == [["remove", {"email": "bob@example.com"}]]


def test_a_change_refused_at_the_second_step_is_sent_whole_when_it_is_taken_back(warehouse, town):
    """The first step may have written the new name."""
    remote = TwoSteps()
    for name in ("Old", "Poison", "Old"):
        town.audience({"ann": {"first_name": name}, "bob": {}})
        report = sync_now(warehouse, remote)

    assert report.outcomes == {"change": {"delivered": 1}}


def test_a_second_step_that_takes_nobody_is_a_fault_of_the_request(warehouse, town):
    town.audience(["ann", "bob", "cem"])
    remote = TwoSteps()
    remote.refuses = "@"

    with pytest.raises(DestinationRefused, match="request_http_400"):
        sync_now(warehouse, remote)

    assert warehouse.execute("select distinct outcome from activation.attempts") == [("unknown",)]
    remote.refuses = "Poison"
    sync_now(warehouse, remote)
    assert remote.names == {"ann", "bob", "cem"}


class Pointing(Remote):
    """An all-or-nothing place that names the rows it won't have."""

    def send(self, request):
        rows = json.loads(request.body)
        bad = [place for place, row in enumerate(rows) if row[3].get("first_name") == "Poison"]
        if bad:
            self.requests.append(rows)
            return Response(400, json.dumps(bad[: self.names_at_most]).encode())
        return super().send(request)

    names_at_most = 100

    def pointer(self, _, response):
        return response.json()


def mixed(remote, bad):
    good = sample(remote, people=range(1, 41))
    poison = {change.member_id: change for change in sample(remote, people=bad, first_name="Poison")}
    return [poison.get(change.member_id, change) for change in good]


def test_rows_a_refusal_points_at_are_kept_back_and_the_rest_sent_again():
    remote = Pointing()
    delivery, _ = conversation(remote)

    receipts = delivery.deliver(mixed(remote, (3, 17, 40)))

    assert [n for n, o in enumerate(outcomes(receipts), 1) if o == "rejected"] == [3, 17, 40]
    assert len(remote.requests) == 2


def test_a_place_that_names_one_row_at_a_time_is_halved_in_the_end():
    remote = Pointing()
    remote.names_at_most = 1
    delivery, _ = conversation(remote)

    receipts = delivery.deliver(mixed(remote, range(1, 31)))

    assert outcomes(receipts) == ["rejected"] * 30 + ["delivered"] * 10


@pytest.mark.parametrize("nonsense", [b"<html>", b"[99]", b'["x"]', b"{}"])
def test_a_pointer_that_points_nowhere_is_ignored(nonsense):
    remote = Pointing()
    inner = remote.send
    delivery, _ = conversation(remote)

    def mumble(request):
        answer = inner(request)
        return Response(400, nonsense) if answer.status == 400 else answer

    delivery.transport = mumble

    receipts = delivery.deliver(mixed(remote, (7,)))

    assert [n for n, o in enumerate(outcomes(receipts), 1) if o == "rejected"] == [7]


def test_the_pace_of_the_account_is_kept():
    remote = Remote(moods=["broken", "well"], attempts=3)
    delivery, clock = conversation(remote)
    waits = iter([0.0, 5.0, 7.0])
    delivery.pace = lambda: next(waits)
    delivery.deliver(sample(remote))

    assert clock.slept == [1.0, 5.0]
    delivery.deadline = clock.now + 6

    assert outcomes(delivery.deliver(sample(remote))) == ["deferred"] * 3
