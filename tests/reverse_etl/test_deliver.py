"""How one batch is sent: retries by class of error, patience, and the search for a poison row."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from activation_town import Remote

from reverse_etl.deliver import Delivery, coded, retry_after
from reverse_etl.destination import Outcome, Response
from reverse_etl.testing import sample


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now = 0.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def conversation(remote, deadline=1000.0):
    clock = Clock()
    return Delivery(remote, remote.send, deadline, clock.sleep, clock, dice=lambda: 1.0), clock


def outcomes(receipts):
    return [str(receipt.outcome) for receipt in receipts]


def test_the_wait_doubles_and_is_drawn_from_all_of_it():
    remote = Remote(moods=["broken"] * 4, attempts=5)
    delivery, clock = conversation(remote)

    assert outcomes(delivery.deliver(sample(remote))) == ["delivered"] * 3
    assert clock.slept == [1.0, 2.0, 4.0, 8.0]
    delivery.dice = lambda: 0.0
    assert delivery._backoff(3) == 0.0


@pytest.mark.parametrize(
    ("mood", "outcome"),
    [
        ("busy", "deferred"),
        ("down", "deferred"),
        (503, "deferred"),
        ("lost", "unknown"),
        ("broken", "unknown"),
        (502, "unknown"),
    ],
)
def test_what_was_not_answered_is_deferred_or_unknown_as_the_error_says(mood, outcome):
    remote = Remote(moods=[mood] * 3, attempts=3)
    delivery, _ = conversation(remote)

    assert outcomes(delivery.deliver(sample(remote))) == [outcome] * 3
    assert len(remote.requests) == 3


def test_after_an_unanswered_attempt_a_later_refusal_to_talk_is_still_unknown():
    remote = Remote(moods=["lost", "busy"], attempts=2)
    delivery, _ = conversation(remote)

    assert outcomes(delivery.deliver(sample(remote))) == ["unknown"] * 3
    assert delivery.was_repeated


def test_after_an_unanswered_attempt_a_rejection_is_not_certain_either():
    """The first attempt may have been taken, whatever is said to the second."""
    remote = Remote(moods=["lost"], attempts=2)
    delivery, _ = conversation(remote)

    assert outcomes(delivery.deliver(sample(remote, first_name="Poison"))) == ["unknown"] * 3


def test_being_told_when_to_come_back_is_obeyed_and_is_no_failure():
    remote = Remote(attempts=1)
    answers = [Response(429, headers={"retry-after": "7"}), Response(503, headers={"retry-after": "2"})]
    delivery, clock = conversation(remote)
    delivery.transport = lambda request: answers.pop(0) if answers else remote.send(request)

    assert outcomes(delivery.deliver(sample(remote))) == ["delivered"] * 3
    assert clock.slept == [7.0, 2.0]


def test_a_wait_beyond_the_deadline_is_not_begun():
    remote = Remote(attempts=5)
    delivery, clock = conversation(remote, deadline=10)
    delivery.transport = lambda _: Response(429, headers={"retry-after": "3600"})

    assert outcomes(delivery.deliver(sample(remote))) == ["deferred"] * 3
    assert clock.slept == []


def test_patience_with_a_destination_that_always_says_later_ends():
    remote = Remote()
    delivery, clock = conversation(remote)
    delivery.transport = lambda _: Response(429, headers={"retry-after": "0"})

    assert outcomes(delivery.deliver(sample(remote))) == ["deferred"] * 3
    assert len(clock.slept) < 30


def test_retry_after_may_be_a_date():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)

    assert 55 < retry_after(Response(429, headers={"retry-after": later})) <= 60
    assert retry_after(Response(429, headers={"retry-after": "soon"})) is None
    assert retry_after(None) is None


def test_an_all_or_nothing_refusal_is_split_until_the_poison_stands_alone():
    """The destination answers 400 to any request with person 5 in it."""
    remote = Remote()
    delivery, _ = conversation(remote)
    delivery.transport = lambda request: Response(400) if b"person5@" in request.body else remote.send(request)

    receipts = delivery.deliver(sample(remote, people=range(1, 9)))

    assert [r.outcome for r in receipts] == [Outcome.REJECTED if n == 5 else Outcome.DELIVERED for n in range(1, 9)]
    assert receipts[4].code == "http_400"
    assert len(remote.members) == 7


@pytest.mark.parametrize("count", [2, 3, 8, 9, 500])
def test_a_request_of_which_no_row_is_taken_alone_is_itself_at_fault(count):
    """Nobody is rejected for it: the rows stay for the next run, and a person must look."""
    remote = Remote()
    delivery, _ = conversation(remote)
    asked = []
    delivery.transport = lambda request: asked.append(request) or Response(400)

    receipts = delivery.deliver(sample(remote, people=range(1, count + 1)))

    assert outcomes(receipts) == ["deferred"] * count
    assert delivery.refusal == "request_http_400"
    assert len(asked) <= 9


def test_rows_are_to_blame_when_a_request_like_theirs_was_taken():
    remote = Remote()
    delivery, _ = conversation(remote)
    delivery.deliver(sample(remote, people=(9,)))
    delivery.transport = lambda _: Response(400)

    assert outcomes(delivery.deliver(sample(remote))) == ["rejected"] * 3
    assert not delivery.refusal


def test_a_row_refused_alone_in_its_batch_is_rejected():
    remote = Remote()
    delivery, _ = conversation(remote)
    delivery.transport = lambda _: Response(400)

    assert outcomes(delivery.deliver(sample(remote, people=(1,)))) == ["rejected"]


def test_nine_of_ten_rows_may_be_wrong_without_blaming_the_request():
    remote = Remote()
    delivery, _ = conversation(remote)
    delivery.transport = lambda request: remote.send(request) if good(request) else Response(400)

    def good(request):
        return all(
            int(identifiers["email"].split("@")[0][6:]) % 10 == 1 for *_, identifiers, _ in json.loads(request.body)
        )

    receipts = delivery.deliver(sample(remote, people=range(1, 101)))

    assert outcomes(receipts).count("delivered") == 10
    assert outcomes(receipts).count("rejected") == 90


def test_a_destination_may_say_in_its_own_word_why_it_refused():
    class Spoken(Remote):
        def reason(self, response):
            return f"code_{response.json()['code']}"

    remote = Spoken()
    delivery, _ = conversation(remote)
    delivery.transport = lambda _: Response(400, b'{"code": 7}')
    assert delivery.deliver(sample(remote, people=(1,)))[0].code == "code_7"
    delivery.transport = lambda _: Response(400, b"<html>")
    assert delivery.deliver(sample(remote, people=(1,)))[0].code == "http_400"


def test_a_request_above_the_limit_of_bytes_is_split_before_it_is_sent():
    class Narrow(Remote):
        @property
        def spec(self):
            from dataclasses import replace

            return replace(super().spec, batch_bytes=400)

    remote = Narrow()
    delivery, _ = conversation(remote)
    giant = sample(remote, people=(9,), note="x" * 500)

    receipts = delivery.deliver([*sample(remote, people=range(1, 9)), *giant])

    assert outcomes(receipts) == ["delivered"] * 8 + ["rejected"]
    assert receipts[-1].code == "too_large"
    assert len(remote.requests) > 1


def test_a_row_the_answer_does_not_mention_is_unknown():
    remote = Remote(moods=["mute"])
    delivery, _ = conversation(remote)

    receipts = delivery.deliver(sample(remote))

    assert outcomes(receipts) == ["unknown"] * 3
    assert {r.code for r in receipts} == {"not_mentioned"}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"null", b'{"add-1-0": "perhaps"}'])
def test_an_unreadable_answer_is_unknown(body):
    remote = Remote()
    delivery, _ = conversation(remote)
    delivery.transport = lambda _: Response(200, body)

    assert outcomes(delivery.deliver(sample(remote))) == ["unknown"] * 3


@pytest.mark.parametrize(("status", "word"), [(401, "auth"), (403, "auth"), (404, "config"), (302, "config")])
def test_a_refusal_of_everything_stops_the_conversation(status, word):
    remote = Remote(moods=[status])
    delivery, _ = conversation(remote)

    assert outcomes(delivery.deliver(sample(remote))) == ["deferred"] * 3
    assert delivery.refusal == f"{word}_http_{status}"
    assert outcomes(delivery.deliver(sample(remote))) == ["deferred"] * 3
    assert len(remote.requests) == 1


def test_a_reason_that_quotes_something_is_dropped():
    assert coded("invalid_email") == "invalid_email"
    assert coded("ann@example.com is on the list") == "unspecified"
