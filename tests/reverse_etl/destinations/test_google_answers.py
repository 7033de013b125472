"""What Data Manager answers, at once and later, and which rows it says it of."""

import json
from dataclasses import replace

import pytest
from ad_people import changes
from google_list import google

from reverse_etl.destination import Outcome, Response, Verdict


def ended(status, total=2, **reasons):
    """The answer to: what became of it?"""
    counts = [
        {"recordCount": str(count), "reason": f"PROCESSING_ERROR_REASON_{name}"} for name, count in reasons.items()
    ]
    said = {"requestStatus": status, "errorInfo": {"errorCounts": counts}}
    said["audienceMembersIngestionStatus"] = {"userDataIngestionStatus": {"recordCount": str(total)}}
    return Response(200, json.dumps({"requestStatusPerDestination": [said]}).encode())


def test_it_asks_until_the_request_is_over_but_not_for_ever():
    destination = google(polls=3, poll_seconds=2)
    rows = changes(destination, [1, 2])
    taken = Response(200, b'{"requestId": "r/1"}')
    running = ended("PROCESSING")

    first = destination.follow(rows, taken)
    second = destination.follow(rows, replace(running, earlier=(taken,)))

    assert (first.request.method, first.request.path, first.wait_seconds) == (
        "GET",
        "/v1/requestStatus:retrieve?requestId=r%2F1",
        2,
    )
    assert (second.request.path, second.wait_seconds) == (first.request.path, 4)
    late = replace(running, earlier=(taken, running, running))
    assert destination.follow(rows, late) is None
    assert destination.outcomes(rows, late)[0].outcome is Outcome.DELIVERED
    assert destination.follow(rows, replace(ended("SUCCESS"), earlier=(taken,))) is None
    assert google(polls=0).follow(rows, taken) is None
    assert google(polls=0).outcomes(rows, taken)[0].outcome is Outcome.DELIVERED


@pytest.mark.parametrize(
    ("response", "outcome", "code"),
    [
        (ended("SUCCESS"), Outcome.DELIVERED, ""),
        (ended("FAILED", NO_CONSENT=2), Outcome.REJECTED, "no_consent"),
        (ended("FAILED"), Outcome.DEFERRED, "request_failed"),
        (ended("PARTIAL_SUCCESS", NO_CONSENT=1), Outcome.UNKNOWN, "some_failed"),
        (ended("PARTIAL_SUCCESS", DUPLICATE_GCLID=1), Outcome.DELIVERED, ""),
        (ended("A_NEW_STATUS"), Outcome.UNKNOWN, "some_failed"),
    ],
)
def test_the_end_of_a_request_is_read_for_its_rows(response, outcome, code):
    receipts = google().outcomes(changes(google(), [1, 2]), response)

    assert [(receipt.outcome, receipt.code) for receipt in receipts] == [(outcome, code)] * 2


def refusal(status, reason="", field="", **metadata):
    violations = [{"field": field, "description": "d", "reason": reason}]
    details = [{"metadata": metadata}, {"fieldViolations": violations}]
    return Response(status, json.dumps({"error": {"code": status, "details": details}}).encode())


@pytest.mark.parametrize(
    ("response", "verdict"),
    [
        (refusal(400, "INVALID_SHA256_FORMAT", "audience_members[1].user_data"), Verdict.REFUSED),
        (refusal(400, "A_NEW_REASON", "audienceMembers[1]"), Verdict.REFUSED),
        (refusal(400, "INVALID_USER_LIST_TYPE", "audience_members[0]"), Verdict.CONFIG),
        (refusal(400, "TOO_MANY_AUDIENCE_MEMBERS", "audience_members"), Verdict.CONFIG),
        (refusal(400, "", "audience_members[0].user_data"), Verdict.CONFIG),
        (refusal(400, "TERMS_AND_CONDITIONS_NOT_SIGNED", "terms_of_service"), Verdict.CONFIG),
        (Response(400, b"<html>"), Verdict.CONFIG),
        (refusal(401), Verdict.AUTH),
        (refusal(403), Verdict.AUTH),
        (refusal(404), Verdict.CONFIG),
        (refusal(409), Verdict.BUSY),
        (refusal(429, quota_limit="IngestionMutateRequestsPerMinutePerProject"), Verdict.BUSY),
        (refusal(429, quota_limit="IngestionMutateRequestsPerDayPerProject"), Verdict.CONFIG),
        (refusal(503), Verdict.BUSY),
        (refusal(500), Verdict.BROKEN),
        (ended("PARTIAL_SUCCESS", NO_CONSENT=1), Verdict.REFUSED),
        (ended("FAILED", NO_CONSENT=2), Verdict.ANSWERED),
        (ended("SUCCESS"), Verdict.ANSWERED),
    ],
)
def test_rows_are_to_blame_only_for_what_is_theirs(response, verdict):
    assert google().spec.classify(response) is verdict
