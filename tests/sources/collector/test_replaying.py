"""What was refused goes through once more, as if it had come in time."""

import json

import pytest
from door import SENDERS, TRACK
from msgspec.structs import replace

from sources.collector.replaying import Kept, replay
from sources.collector.settings import Limits, Settings
from sources.configuration import read_configuration
from sources.log.reader import Reader

SETTINGS = "sources: {site: {write_key: wk_site}}\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CDP_HOME", str(tmp_path / "home"))
    for name in ("CDP_LOG", "CDP_COLLECTOR", "CDP_WAREHOUSE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "home").mkdir()
    (tmp_path / "home/collector.yml").write_text(SETTINGS)
    return tmp_path / "home"


@pytest.fixture
def strict(door_of):
    """A door for small events only."""
    return door_of(Settings(sources={"site": replace(SENDERS["site"])}, limits=Limits(event=300)))


def kept(line):
    return Kept(
        "row1", line["source"], line["receivedAt"], line["raw"], line["isBase64"], line["sdk"], line["type"],
        line["sentAt"],
    )  # fmt: skip


def through(home):
    [line] = Reader(home / "log").read("web_events.events", {}, 1 << 30)[0]
    return json.loads(line)


def test_an_event_keeps_when_it_was_received_and_sent(home, strict):
    strict.batch({**TRACK, "properties": {"long": "x" * 400}}, sentAt="2026-01-02T03:04:05.678Z")
    [refused] = strict.lines("quarantine")
    assert refused["sentAt"] == "2026-01-02T03:04:05.678Z"
    assert replay([kept(refused)], read_configuration()) == {"accepted": 1}
    assert through(home)["sentAt"] == refused["sentAt"]
    assert through(home)["receivedAt"] == refused["receivedAt"]


def test_the_type_of_the_path_is_not_forgotten(home, strict):
    strict.post("/v1/group", {"userId": "u1", "messageId": "m2"})
    [nameless] = strict.lines("quarantine")
    assert (nameless["codes"], nameless["type"]) == (["missing_group_id"], "group")
    mended = kept(nameless | {"raw": nameless["raw"].replace('"u1"', '"u1","groupId":"g1"')})
    assert replay([mended], read_configuration()) == {"accepted": 1}
    assert through(home)["event"]["type"] == "group"


def test_a_word_that_is_no_type_is_not_repeated(strict):
    strict.batch({**TRACK, "type": "somebody@mail.example"})
    assert strict.lines("quarantine")[0]["type"] is None
