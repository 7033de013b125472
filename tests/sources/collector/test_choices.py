"""What a person chose comes into the consent log: yes and no by the record of a choice, only no by anything else."""

import pytest
from door import TRACK
from msgspec.structs import replace

from sources.collector import choices
from sources.collector.choices import CHANGE
from sources.collector.plan import read_plan
from sources.collector.settings import Consent, Settings
from sources.source import load_source

LANE = "consent.choices"


def said(**preferences):
    return {"consent": {"categoryPreferences": preferences}}


def changed(**preferences):
    return {**TRACK, "event": CHANGE, "anonymousId": "a1", "context": said(**preferences)}


def chosen(door):
    """{(purpose, channel): status} of everything in the consent log."""
    return {(line["row"]["purpose"], line["row"]["channel"]): line["row"]["status"] for line in door.lines(LANE)}


def test_a_choice_is_a_row_for_each_purpose(door):
    door.post("/v1/track", {**changed(Advertising=False, Analytics=True), "timestamp": "2026-01-02T03:04:05Z"})
    assert chosen(door) == {("advertising", "any"): "denied", ("analytics", "any"): "granted"}
    first, second = door.lines(LANE)
    assert first["row"] == {
        "id": "site:m1:advertising.any", "user_id": "u1", "anonymous_id": "a1", "purpose": "advertising",
        "channel": "any", "status": "denied", "method": "choice", "source": "site",
        "collected_at": "2026-01-02T03:04:05.000Z",
    }  # fmt: skip
    assert first["receivedAt"] == second["receivedAt"] == door.lines()[0]["receivedAt"]


def test_a_choice_against_being_collected_is_kept(door):
    door.post("/v1/track", changed(analytics=False))
    assert chosen(door) == {("advertising", "any"): "denied", ("analytics", "any"): "denied"}


def test_a_purpose_of_several_categories_needs_all_of_them(door):
    door.post("/v1/track", changed(analytics=True, advertising=True, dataSharing=False))
    assert chosen(door)["advertising", "any"] == "denied"


def test_a_purpose_that_nobody_spoke_of_is_not_decided(door):
    door.post("/v1/track", changed(analytics=True))
    assert ("marketing", "any") not in chosen(door)
    assert ("personalization", "any") not in chosen(door)


def test_a_stamp_takes_back_and_never_gives(door):
    door.track(context=said(analytics=True, advertising=False, marketing=True))
    assert chosen(door) == {("advertising", "any"): "denied"}
    assert door.lines(LANE)[0]["row"]["method"] == "stamp"


def test_a_stamp_is_kept_once_in_ten_minutes_and_a_choice_each_time(door, monkeypatch):
    times = iter(["2026-01-02T03:04:05.678Z", "2026-01-02T03:09:59.999Z", "2026-01-02T03:10:00.000Z"])
    monkeypatch.setattr("sources.collector.call.now", lambda: next(times, "2026-01-02T03:10:00.000Z"))
    stamp = said(analytics=True, advertising=False, dataSharing=False)
    for number in range(3):
        door.track(messageId=f"s{number}", context=stamp)
    assert [line["receivedAt"][11:16] for line in door.lines(LANE)] == ["03:04", "03:10"]
    door.track(messageId="s4", userId="u2", context=stamp)
    door.post("/v1/track", changed(analytics=True, advertising=False) | {"messageId": "c1"})
    door.post("/v1/track", changed(analytics=True, advertising=False) | {"messageId": "c2"})
    assert len(door.lines(LANE)) == 2 + 1 + 2 * 2


def test_gpc_is_a_no_to_sharing(door):
    door.post("/v1/track", TRACK, {"sec-gpc": "1"})
    door.post("/v1/batch", {"batch": [{**TRACK, "messageId": "m2", "userId": "u2"}]}, {"sec-gpc": "1"})
    assert [(line["row"]["user_id"], line["row"]["status"]) for line in door.lines(LANE)] == [
        ("u1", "denied"), ("u2", "denied"),
    ]  # fmt: skip


def test_a_repeated_request_chooses_nothing_again(door):
    for _ in range(2):
        door.post("/v1/track", changed(analytics=True))
    assert len(door.lines(LANE)) == 2


def test_of_who_may_not_be_collected_nothing_is_kept_here_either(door):
    door.track(context=said(analytics=False, advertising=False))
    assert door.lines(LANE) == []


def test_a_batchs_preferences_are_its_events(door):
    door.batch({**changed(), "context": {}}, context=said(analytics=True, marketing=True))
    assert chosen(door)["marketing", "any"] == "granted"


@pytest.mark.parametrize("when", [None, "yesterday", {"at": 1}, "2999-01-01T00:00:00Z"])
def test_a_no_counts_whatever_its_clock_says(door, when):
    door.post("/v1/track", {**changed(advertising=False), "timestamp": when})
    assert {line["row"]["collected_at"] for line in door.lines(LANE)} == {door.lines()[0]["receivedAt"]}


def test_a_client_whose_clock_is_wrong_is_corrected(door):
    sent = {"timestamp": "2020-01-01T00:00:00Z", "sentAt": "2020-01-01T01:00:00Z"}
    door.post("/v1/track", {**changed(advertising=False), **sent})
    [received] = {line["receivedAt"] for line in door.lines()}
    assert all(line["row"]["collected_at"][:4] == received[:4] for line in door.lines(LANE))


def test_a_source_says_what_its_categories_stand_for(door_of, door):
    purposes = {"C0004": ("advertising", "marketing.email"), "C0005": ("marketing.sms",)}
    site = replace(door.settings.sources["site"], consent=Consent(collect=(), share=(), purposes=purposes))
    own = door_of(Settings(sources={"site": site}))
    own.post("/v1/track", changed(c0004=True, C0005=False, analytics=False))
    assert chosen(own) == {
        ("advertising", "any"): "granted", ("marketing", "email"): "granted", ("marketing", "sms"): "denied",
    }  # fmt: skip


def test_a_choice_that_the_plan_refuses_counts(door_of, door, monkeypatch, tmp_path):
    (tmp_path / "strict.yml").write_text("version: 1\nmode: block\nunplanned: block\nevents: {Known: {type: object}}\n")
    monkeypatch.setattr(read_plan, "__defaults__", (tmp_path,))
    site = replace(door.settings.sources["site"], plan="strict")
    strict = door_of(Settings(sources={"site": site}))
    strict.post("/v1/track", changed(advertising=False))
    assert strict.lines() == []
    assert chosen(strict)["advertising", "any"] == "denied"


def test_the_lane_is_a_table_of_the_consent_connector():
    connector, table = choices.LANE.split(".")
    columns = {column.name for column in load_source(connector).table(table).columns}
    assert {"id", "user_id", "anonymous_id", "purpose", "channel", "status", "method", "collected_at"} <= columns
