"""What the answers of a declared API mean: as a whole, and for each row."""

import json

import pytest
from declared_api import declared, sync_of

from reverse_etl.destination import Outcome, Response, Verdict
from reverse_etl.destinations.http import Destination
from reverse_etl.testing import sample


def spec_of(answer):
    return Destination(sync_of(declared(answer=answer))).spec


def outcomes(answer, document, status=200, people=(1, 2), operation="add"):
    destination = Destination(sync_of(declared(answer=answer)))
    rows = sample(destination, operation, people)
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return [(r.outcome, r.code) for r in destination.outcomes(rows, Response(status, body))]


def test_codes_outweigh_statuses_and_statuses_http():
    classify = spec_of(
        {"codes": {"at": "/code", "busy": [40100], "auth": ["40105"], "refused": [1]}, "statuses": {"busy": [418]}}
    ).classify

    assert classify(Response(200, b'{"code": 0}')) is Verdict.ANSWERED
    assert classify(Response(200, b'{"code": 40100}')) is Verdict.BUSY
    assert classify(Response(200, b'{"code": 40105}')) is Verdict.AUTH
    assert classify(Response(200, b'{"code": "1"}')) is Verdict.REFUSED
    assert classify(Response(418, b"<html>")) is Verdict.BUSY
    assert classify(Response(500)) is Verdict.BROKEN


def test_results_by_position():
    rows = {"at": "/r", "by": "position", "status": "/s", "delivered": ["ok"], "rejected": ["no"], "code": "/c"}
    document = {"r": [{"s": "ok"}, {"s": "no", "c": "bad_phone"}]}

    assert outcomes({"rows": rows}, document) == [(Outcome.DELIVERED, ""), (Outcome.REJECTED, "bad_phone")]
    with pytest.raises(ValueError, match="as many results"):
        outcomes({"rows": rows}, {"r": [{"s": "ok"}]})


def test_results_by_name():
    rows = {"at": "/r", "by": "/who/id", "is": "{key}", "status": "/s", "delivered": [True], "deferred": ["later"]}
    document = {"r": [{"who": {"id": "profile_id-2"}, "s": "later"}, {"who": {"id": "profile_id-1"}, "s": True}]}

    assert outcomes({"rows": rows}, document) == [(Outcome.DELIVERED, ""), (Outcome.DEFERRED, "later")]
    assert outcomes({"rows": rows}, {"r": []}) == [(Outcome.UNKNOWN, "not_mentioned")] * 2


def test_a_word_nobody_declared_is_no_yes():
    rows = {"by": "position", "status": "", "delivered": ["ok"]}

    assert outcomes({"rows": rows}, ["ok", "okay"])[1] == (Outcome.UNKNOWN, "okay")


def test_only_failures_are_listed_or_nothing_is():
    answer = {"accepted": {"at": "/ok", "is": True}, "rows": {
        "at": "/failed", "by": "/key", "is": "{key}", "every": "rejected", "others": "delivered"}}  # fmt: skip

    assert outcomes(answer, {"ok": True}) == [(Outcome.DELIVERED, "")] * 2
    assert outcomes(answer, {"ok": True, "failed": [{"key": "profile_id-1"}]})[0][0] is Outcome.REJECTED
    with pytest.raises(ValueError, match="does not say"):
        outcomes(answer, {"ok": False, "failed": []})


def test_without_a_declared_yes_only_silence_is_one():
    assert outcomes({}, b"") == [(Outcome.DELIVERED, "")] * 2
    with pytest.raises(ValueError, match="does not say"):
        outcomes({}, {"ok": True})


def test_somebody_unknown_is_removed():
    answer = {"statuses": {"answered": [404]}, "accepted": {"statuses": [404], "at": "/id"}}

    assert outcomes(answer, {"error": "unknown"}, status=404, operation="remove") == [(Outcome.DELIVERED, "")] * 2


def test_an_answered_status_that_is_no_yes_is_tried_again():
    answer = {"statuses": {"answered": [404]}, "accepted": {"at": "/id"}}

    assert outcomes(answer, {"error": "unknown"}, status=404) == [(Outcome.DEFERRED, "http_404")] * 2


def test_blame():
    destination = Destination(sync_of(declared(answer={"blame": {"at": "/errors", "index": "/row"}})))
    rows = sample(destination)

    assert destination.pointer(rows, Response(400, b'{"errors": [{"row": 2}, {"row": "0"}, {"row": 9}]}')) == [0, 2]
    for body in (b"", b"[]", b'{"errors": [{}]}', b'{"errors": [{"row": null}]}'):
        assert destination.pointer(rows, Response(400, body)) == []
