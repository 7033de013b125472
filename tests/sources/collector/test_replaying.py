"""What was refused goes through once more, as if it had come in time."""

import json

import pytest
from door import SENDERS, TRACK
from hooks import shopify, standard
from msgspec.structs import replace

from sources.collector.replaying import Kept, replay
from sources.collector.settings import Hook, Limits, Settings
from sources.collector.signatures import fresh_standard_secret
from sources.configuration import read_configuration
from sources.log.reader import Reader

SETTINGS = "sources: {site: {write_key: wk_site}}\n"
SECRET = fresh_standard_secret()
HOOKS = f"""\
webhooks:
  helpdesk: {{kind: standard, secrets: [{SECRET}], tables: [support.users]}}
  web: {{kind: shopify, secrets: [s]}}
"""


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
        line["sentAt"], line["stage"], line["messageId"],
    )  # fmt: skip


def through(home, lane="web_events.events"):
    [line] = Reader(home / "log").read(lane, {}, 1 << 30)[0]
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


# deliveries


@pytest.fixture
def hooks(door_of):
    helpdesk = Hook(name="helpdesk", kind="standard", secrets=(SECRET,), tables=("crm.contacts",))
    return door_of(Settings(webhooks={"helpdesk": helpdesk, "web": Hook(name="web", kind="shopify", secrets=("s",))}))


def test_a_delivery_passes_once_its_table_is_allowed(home, hooks):
    standard(hooks, "helpdesk", {"type": "support.users", "data": {"id": "1"}}, "d1", secret=SECRET)
    [refused] = hooks.lines("quarantine")
    assert replay([kept(refused)], read_configuration()) == {"unknown_source": 1}
    (home / "collector.yml").write_text(HOOKS)
    assert replay([kept(refused)], read_configuration(), only_try=True) == {"accepted": 1}
    assert replay([kept(refused)], read_configuration()) == {"accepted": 1}
    row = through(home, "support.users")
    assert (row["row"], row["deliveryId"], row["receivedAt"]) == ({"id": "1"}, "d1", refused["receivedAt"])
    said = through(home, "quarantine")
    assert (said["stage"], said["messageId"]) == ("replayed", "refusal-row1")
    assert replay([kept(refused)], read_configuration()) == {"duplicate": 1}


def test_a_delivery_that_nobody_reads_yet_writes_nothing(home, hooks):
    (home / "collector.yml").write_text(HOOKS)
    shopify(hooks, {"id": 1}, topic="products/update", secret="s", name="web")
    [refused] = hooks.lines("quarantine")
    assert refused["type"] == "products/update"
    assert replay([kept(refused)], read_configuration()) == {"unknown_topic": 1}
    assert Reader(home / "log").lanes() == []


def test_a_delivery_keeps_its_topic(home, hooks):
    (home / "collector.yml").write_text(HOOKS)
    shopify(hooks, {"id": 1, "line_items": [{}]}, secret="s", name="web")
    [refused] = hooks.lines("quarantine")
    mended = kept(refused | {"raw": '{"id": 1}'})
    assert replay([mended], read_configuration()) == {"accepted": 1}
    assert through(home, "web_orders.orders")["row"]["id"] == "1"


def test_a_delivery_is_kept_whole_whatever_its_size(hooks):
    shopify(hooks, {"note": "x" * 1_000_000}, topic="products/update", secret="s", name="web")
    [refused] = hooks.lines("quarantine")
    assert len(json.loads(refused["raw"])["note"]) == 1_000_000
