"""What Meta answers to an upload, and which rows it says it of: codes count, and statuses don't."""

import json

import pytest
from ad_people import changes, spoilt
from meta_audience import meta

from reverse_etl.apis.meta import classify_upload as classify
from reverse_etl.destination import Outcome, Response, Verdict


def test_samples_are_read_and_rows_without_one_are_left_to_splitting():
    destination = meta()
    rows = [spoilt(row, email=f"bad-{n}") for n, row in enumerate(changes(destination, range(3)))]
    said = {"num_received": 3, "num_invalid_entries": 2, "invalid_entry_samples": {"bad-1": "Invalid value"}}
    response = Response(200, json.dumps(said).encode())

    assert classify(response) is Verdict.REFUSED
    assert destination.pointer(rows, response) == [1]
    assert destination.pointer(rows, Response(200, b'{"num_received": 3, "num_invalid_entries": 2}')) == []


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"num_received": 2, "num_invalid_entries": 0}, Outcome.DELIVERED),
        ({"num_received": "2", "num_invalid_entries": "0"}, Outcome.DELIVERED),
        ({"num_received": 1, "num_invalid_entries": 0}, Outcome.UNKNOWN),
        ({"num_received": 2, "num_invalid_entries": 2}, Outcome.REJECTED),
    ],
)
def test_counts_are_compared(said, outcome):
    receipts = meta().outcomes(changes(meta(), [1, 2]), Response(200, json.dumps(said).encode()))

    assert [receipt.outcome for receipt in receipts] == [outcome] * 2


@pytest.mark.parametrize(
    ("status", "code", "further", "verdict"),
    [
        (400, 80_003, {}, Verdict.BUSY),
        (400, 17, {"error_subcode": 2_446_079}, Verdict.BUSY),
        (400, 2650, {"error_subcode": 1_870_145}, Verdict.BUSY),
        (400, 190, {"error_subcode": 463}, Verdict.AUTH),
        (400, 200, {"error_subcode": 1_870_090}, Verdict.CONFIG),
        (400, 100, {"error_subcode": 33}, Verdict.CONFIG),
        (400, 100, {"error_subcode": 1_713_230}, Verdict.CONFIG),
        (400, 100, {"message": "Data is missing or does not match schema"}, Verdict.CONFIG),
        (400, 100, {}, Verdict.CONFIG),
        (400, 100, {"error_subcode": 2_804_019}, Verdict.REFUSED),
        (400, 999, {}, Verdict.CONFIG),
        (400, 2, {}, Verdict.BROKEN),
        (400, 999, {"is_transient": True}, Verdict.BROKEN),
        (500, 1, {}, Verdict.BROKEN),
    ],
)
def test_the_code_counts_not_the_status(status, code, further, verdict):
    error = {"error": {"code": code, "message": "m", **further}}

    assert classify(Response(status, json.dumps(error).encode())) is verdict


def test_other_peoples_pages_are_no_answer():
    page = b"<html>Bad gateway</html>"

    assert classify(Response(400, page)) is classify(Response(502, page)) is Verdict.BROKEN
    with pytest.raises(ValueError, match="not JSON"):
        meta().outcomes(changes(meta(), [1]), Response(200, page))
