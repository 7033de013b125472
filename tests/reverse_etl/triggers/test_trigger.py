"""What a trigger's file may say, and that an error is one line that names file and field."""

from datetime import timedelta

import pytest
import yaml
from trigger_town import checkout_trigger

from reverse_etl.sync import BadDeclaration
from reverse_etl.triggers.duration import in_words
from reverse_etl.triggers.trigger import TRIGGERS, all_triggers, find_trigger, load_trigger

DECLARED = {
    "description": "A test.",
    "when": {"event": "Checkout Started"},
    "purpose": "marketing",
    "send": {"email": {"destination": "resend", "message": "abandoned_checkout"}},
}
LIST = {"destination": "sandbox", "add": "item_{product_id}"}


def written(folder, **changes):
    file = folder / "hello.yml"
    file.write_text(yaml.safe_dump({name: value for name, value in {**DECLARED, **changes}.items() if value != "-"}))
    return file


def test_the_folder_is_the_registry():
    names = [trigger.name for trigger in all_triggers()]

    assert names == sorted(file.stem for file in TRIGGERS.glob("*.yml"))
    assert {"abandoned_checkout", "price_drop", "win_back", "item_bought"} <= set(names)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"when": {}}, "when: name one of event, enters, leaves and rows"),
        ({"when": {"event": "A", "enters": "vip"}}, "when: name one of"),
        ({"when": {"rows": "price_drops"}, "reason": "product_id"}, "when: rows needs at"),
        ({"when": {"event": "A'; drop table x"}}, "when.event: String should match"),
        ({"when": {"event": "A"}, "reason": "amount"}, "reason: amount is none of event_id"),
        ({"when": {"leaves": "vip"}, "reason": "email"}, "reason: of who left no column is left"),
        ({"reason": ["ever", "cart_id"]}, "reason: ever stands alone"),
        ({"wait": "soon"}, "wait: 'soon' is no span of time: write `30 minutes`"),
        ({"purpose": "-"}, "purpose: Field required"),
        ({"purpose": "fun"}, "purpose"),
        ({"send": "-"}, "send: give messages to send, or a list"),
        ({"list": LIST}, "and not both"),
        ({"send": {"fax": {"destination": "resend", "message": "abandoned_checkout"}}}, "send.fax"),
        ({"send": {"email": {"destination": "resend", "message": "nothing"}}}, "no message 'nothing'"),
        ({"when": {"enters": "vip"}}, "send.email: message abandoned_checkout reads event."),
        ({"send": "-", "list": LIST}, "list: a list per product needs product_id among the reasons"),
        ({"send": "-", "list": {**LIST, "remove": "x"}}, "list: name add or remove"),
        ({"send": "-", "list": {**LIST, "add": "x'--"}}, "list.add: String should match"),
        ({"quiet_hours": {"from": "21:00", "until": "08:00", "time_zone": "Mars"}}, "no time zone 'Mars'"),
        ({"quiet_hours": {"from": 1260, "until": "08:00"}}, 'quiet_hours.from: write a time of day in quotes: "21:00"'),
        ({"quiet_hours": {"from": "21:00Z", "until": "08:00"}}, "quiet_hours.from: a time of day has no zone"),
        ({"quiet_hours": {"from": "08:00", "until": "08:00"}}, "quiet_hours: from and until are the same moment"),
        ({"cap": {"messages": 0, "days": 1}}, "cap.messages: Input should be greater"),
        ({"holdout": 1}, "holdout"),
        ({"nonsense": 1}, "nonsense: Extra inputs"),
        ({"owner": "somebody"}, "owner"),
        ({"when": {"enters": "lapsed_buyers"}, "unless_bought": "product"}, "product needs product_id among"),
    ],
)
def test_an_error_is_one_line_that_names_file_and_field(tmp_path, changes, words):
    with pytest.raises(BadDeclaration) as error:
        load_trigger(written(tmp_path, **changes))

    assert str(error.value).startswith("hello.yml: ")
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["- a\n- b", "a: [", "just words", ""])
def test_a_file_that_is_no_trigger(tmp_path, text):
    file = tmp_path / "hello.yml"
    file.write_text(text)
    with pytest.raises(BadDeclaration, match=r"^hello\.yml: "):
        load_trigger(file)


def test_a_name_that_is_none():
    with pytest.raises(BadDeclaration, match=r"no trigger .x.: there are|there are abandoned_checkout"):
        find_trigger("x")


@pytest.mark.parametrize("words", ["30 minutes", "1 day", "90 seconds", "2 weeks", "1 hour"])
def test_spans_are_written_as_they_were_read(words):
    assert in_words(checkout_trigger(wait=words).wait) == words


def test_while_trying_out_nothing_waits_longer_nor_for_the_morning(monkeypatch):
    declared = find_trigger("abandoned_checkout")
    monkeypatch.setenv("CDP_TRIAL_WAIT", "1.5")
    tried = find_trigger("abandoned_checkout")
    assert (tried.wait, tried.quiet_hours) == (timedelta(seconds=1.5), None)
    assert declared.quiet_hours
    changed = {"wait", "quiet_hours"}
    assert tried.model_dump(exclude=changed) == declared.model_dump(exclude=changed)
    assert find_trigger("item_bought").wait == timedelta(0)
