"""Consent at the door: Segment's table row by row, GPC, and that nothing is kept of who refused."""

import json

import pytest
from door import KEY, TRACK, Door
from msgspec.structs import replace

from sources.collector.choices import CHANGE
from sources.collector.consent import Judge, reached
from sources.collector.settings import Consent, Settings

DESTINATIONS = ("facebook", "google-ads", "amplitude", "warehouse")
AD = {"ad": ["facebook", "google-ads"]}
BOTH = {**AD, "analytics": ["amplitude"]}
SHARED = {**AD, "analytics": ["facebook", "amplitude"]}
AD_ONLY = {"categoryPreferences": {"ad": True, "analytics": False}}
WISHES = {"facebook": True, "amplitude": False}


@pytest.mark.parametrize(
    ("categories", "consent", "integrations", "expected"),
    [
        (BOTH, None, None, {"facebook", "google-ads", "amplitude", "warehouse"}),
        (BOTH, {}, {}, {"facebook", "google-ads", "amplitude", "warehouse"}),
        (BOTH, {"categoryPreferences": {}}, None, {"warehouse"}),
        (BOTH, None, WISHES, {"facebook", "google-ads", "warehouse"}),
        (BOTH, {}, WISHES, {"warehouse"}),
        (BOTH, {"categoryPreferences": {}}, WISHES, {"warehouse"}),
        ({}, AD_ONLY, None, {"facebook", "google-ads", "amplitude", "warehouse"}),
        (BOTH, AD_ONLY, None, {"facebook", "google-ads", "warehouse"}),
        (BOTH, AD_ONLY, WISHES, {"facebook", "google-ads", "warehouse"}),
        (BOTH, AD_ONLY, {"facebook": False, "amplitude": False}, {"google-ads", "warehouse"}),
        (SHARED, AD_ONLY, WISHES, {"google-ads", "warehouse"}),
        (
            SHARED,
            {"categoryPreferences": {"ad": True, "analytics": True}},
            WISHES,
            {"facebook", "google-ads", "warehouse"},
        ),
        (SHARED, {"categoryPreferences": {"ad": False, "analytics": True}}, WISHES, {"warehouse"}),
    ],
)
def test_consent_and_integrations_are_reconciled_as_segment_does(categories, consent, integrations, expected):
    assert reached(DESTINATIONS, categories, consent, integrations) == expected


def said(preferences) -> dict:
    return {"consent": {"categoryPreferences": preferences}}


@pytest.mark.parametrize(
    ("context", "is_kept"),
    [
        ({}, True),
        ({"consent": {}}, True),
        ({"consent": None}, True),
        (said({"Analytics": True}), True),
        (said({"analytics": False}), False),
        (said({"Advertising": True}), False),
        (said({}), False),
        (said("everything"), False),
        ({"consent": "yes"}, False),
    ],
)
def test_an_event_is_kept_if_collecting_was_allowed(door, context, is_kept):
    assert door.track(context=context, properties={"secret": "v"}).status_code == 200
    assert len(door.lines()) == is_kept
    if not is_kept:
        [line] = door.lines("quarantine")
        assert line["codes"] == ["consent_denied"]
        assert (line["stage"], line["type"], line["count"], line["source"]) == ("consent", "track", 1, "site")
        assert line["receivedAt"].endswith("T00:00:00.000Z")
        assert not {"raw", "messageId", "writeKey"} & line.keys()


def test_nothing_of_a_refused_event_is_on_disk_even_if_it_is_faulty(door):
    refused = {"userId": "somebody", "context": said({"analytics": False}), "properties": {"word": "unforgettable"}}
    door.batch({**refused, "type": "track"}, {**refused, "type": "a very long word that is no type"}, TRACK)
    written = b"".join(file.read_bytes() for file in (door.folder / "log").rglob("*.ndjson*"))
    assert b"somebody" not in written
    assert b"unforgettable" not in written
    assert b"no type" not in written
    assert {(line["type"], line["count"]) for line in door.lines("quarantine")} == {("track", 1), ("other", 1)}


def test_the_choice_itself_is_always_kept(door):
    door.track(event=CHANGE, context=said({"analytics": False}))
    [line] = door.lines()
    assert line["consent"] == {"given": True, "gpc": False, "share": False, "denied": ["analytics"]}


@pytest.mark.parametrize(
    ("preferences", "share", "denied"),
    [
        (None, False, ["advertising", "datasharing"]),
        ({"analytics": True, "Advertising": True, "DataSharing": True}, False, ["advertising", "datasharing"]),
    ],
)
def test_gpc_forbids_to_share_whatever_the_page_says(door, preferences, share, denied):
    context = said(preferences) if preferences else {}
    door.post("/v1/track", {**TRACK, "context": context}, {"sec-gpc": "1"})
    [line] = door.lines()
    assert line["consent"]["gpc"] is True
    assert (line["consent"]["share"], line["consent"]["denied"]) == (share, denied)


@pytest.mark.parametrize("value", ["0", "", "true", "1, 1"])
def test_gpc_has_one_value(door, value):
    door.post("/v1/track", TRACK, {"sec-gpc": value})
    assert door.lines()[0]["consent"]["gpc"] is False


def test_a_source_may_need_a_yes(tmp_path):
    site = replace(Door(tmp_path).settings.sources["site"], consent=Consent(collect=("analytics",), absent="deny"))
    door = Door(tmp_path / "other", Settings(sources={"site": site}))
    door.track()
    door.track(messageId="m2", context=said({"analytics": True}))
    assert [line["messageId"] for line in door.lines()] == ["m2"]


def test_a_source_may_keep_everything(door_of, door):
    site = replace(door.settings.sources["site"], consent=Consent(collect=()))
    open_door = door_of(Settings(sources={"site": site}))
    open_door.track(context=said({"analytics": False}))
    assert len(open_door.lines()) == 1


def test_a_batchs_consent_counts_where_an_event_says_nothing(door):
    door.batch(TRACK, {**TRACK, "messageId": "m2", "context": said({"analytics": True})}, context=said({}))
    assert [line["messageId"] for line in door.lines()] == ["m2"]


def test_a_flood_of_inventions_is_forgotten():
    judge = Judge(Consent())
    for number in range(5000):
        judge.verdict(json.dumps({"categoryPreferences": {str(number): True}}).encode(), gpc=False)
    assert len(judge._known) <= 1001


def test_the_key_of_a_site_is_no_personal_data(door):
    door.track()
    assert door.lines()[0]["writeKey"] == KEY
