"""The tracking plan: what differs is kept apart, marked, or taken out, by its mode; reasons never hold values."""

import json

import pytest
import yaml
from door import TRACK, Door
from msgspec.structs import replace

from sources.collector import plan as plans
from sources.collector.settings import Settings
from sources.refusals import BadConfiguration

PLAN = {
    "version": 3,
    "events": {
        "Product Viewed": {
            "type": "object",
            "required": ["product_id"],
            "properties": {"product_id": {"type": "string"}, "price": {"type": "number", "minimum": 0}},
            "additionalProperties": False,
        }
    },
    "types": {"identify": {"properties": {"email": {"type": "string"}}}},
}


@pytest.fixture
def planned(tmp_path, door_of, monkeypatch):
    """Make a door whose source follows the plan in a mode."""

    def make(ending="yml", **changes) -> Door:
        folder = tmp_path / "plans"
        folder.mkdir()
        write = yaml.safe_dump if ending == "yml" else json.dumps
        (folder / f"shop.{ending}").write_text(write({**PLAN, **changes}))
        monkeypatch.setattr(plans.read_plan, "__defaults__", (folder,))
        site = replace(Door(tmp_path / "none").settings.sources["site"], plan="shop")
        return door_of(Settings(sources={"site": site}))

    return make


GOOD = {"product_id": "P1", "price": 1}
BAD = {"product_id": "P1", "price": "a secret price", "secret name": 1}


@pytest.mark.parametrize("ending", ["yml", "json"])
def test_an_event_as_planned_is_kept_as_it_is(planned, ending):
    door = planned(ending)
    door.track(properties=GOOD)
    assert "violations" not in door.lines()[0]


def test_block_keeps_it_apart_with_reasons_from_the_plan_only(planned):
    door = planned()
    door.track(properties=BAD)
    [line] = door.lines("quarantine")
    assert line["codes"] == ["plan:properties/price/type", "plan:additionalProperties"]
    assert (line["stage"], line["planVersion"]) == ("plan", "3")
    assert door.lines() == []


def test_allow_keeps_it_and_says_what_differs(planned):
    door = planned(mode="allow")
    door.track(properties={})
    [line] = door.lines()
    assert (line["violations"], line["planVersion"]) == (["plan:required"], "3")
    assert door.rows()[0]["message_id"] == "m1"


def test_strip_takes_out_what_is_not_named(planned):
    door = planned(mode="strip")
    door.track(properties={**GOOD, "unplanned": 1})
    door.track(messageId="m2", properties=BAD)
    [line] = door.lines()
    assert line["event"]["properties"] == GOOD
    assert line["violations"] == ["plan:additionalProperties"]
    assert door.refused() == ["plan:properties/price/type"]


@pytest.mark.parametrize(("unplanned", "kept"), [("allow", 1), ("block", 0)])
def test_an_event_the_plan_does_not_name(planned, unplanned, kept):
    door = planned(unplanned=unplanned)
    door.track(event="Something Else")
    assert len(door.lines()) == kept
    assert [line["violations"] for line in door.lines()] + [["unplanned_event"]] * (1 - kept) == [["unplanned_event"]]
    assert door.refused() == ["unplanned_event"] * (1 - kept)


def test_traits_are_planned_too(planned):
    door = planned()
    for number, email in enumerate(["a@example.com", 7]):
        door.post("/v1/identify", {"userId": "u", "traits": {"email": email}, "messageId": str(number)})
    door.post("/v1/page", {"userId": "u"})
    assert [line["messageId"] for line in door.lines()][0] == "0"
    assert door.refused() == ["plan:properties/email/type"]


def test_a_planned_event_without_properties_is_judged_too(planned):
    door = planned()
    door.batch({**TRACK, "properties": None}, {**TRACK, "properties": "text", "messageId": "m2"})
    assert door.refused() == ["plan:required", "plan:type"]


@pytest.mark.parametrize("changes", [{"mode": "perhaps"}, {"events": {"A": {"type": "nonsense"}}}, {"kinds": {}}])
def test_a_faulty_plan_is_found_at_the_start_and_named(planned, changes):
    with pytest.raises(BadConfiguration, match=r"shop\.yml"):
        planned(**changes)


def test_a_plan_that_is_not_there_is_named():
    with pytest.raises(BadConfiguration, match="no tracking plan 'nowhere'"):
        plans.read_plan("nowhere")


def test_an_event_that_does_not_pass_does_not_stop_its_neighbours(planned):
    door = planned()
    door.batch({**TRACK, "messageId": "a", "properties": GOOD}, {**TRACK, "properties": BAD}, {**TRACK, "type": "page"})
    assert len(door.lines()) == 2
