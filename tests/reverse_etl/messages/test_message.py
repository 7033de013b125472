"""Texts with declared fields: a missing one means the fallback or no message, and nothing unfilled leaves."""

import hypothesis.strategies as st
import pytest
import yaml
from hypothesis import given, settings
from test_value import EMPTIES, IMPLAUSIBLE, LEFTOVERS, NOBODIES

from reverse_etl.messages.message import MESSAGES, Message, Scrapped, find_message, render
from reverse_etl.messages.value import leftover
from reverse_etl.sync import BadDeclaration

NAME = {"from": "profile.first_name", "as": "name"}


def message(**changes):
    declared = {
        "name": "hello",
        "description": "A test.",
        "fields": {"first_name": {**NAME, "fallback": "there"}},
        "subject": "Hello {first_name}",
        "text": "Hello {first_name}, welcome.",
    }
    return Message.model_validate({**declared, **changes})


def test_a_value_stands_where_its_field_stood():
    rendered = render(message(), {"first_name": "Ann"})

    assert rendered.parts == {"subject": "Hello Ann", "text": "Hello Ann, welcome."}
    assert rendered.fallbacks == {}


@pytest.mark.parametrize("value", [*LEFTOVERS, *NOBODIES, *EMPTIES, *IMPLAUSIBLE])
def test_hello_first_name_cannot_leave(value):
    rendered = render(message(), {"first_name": value})

    assert rendered.parts["text"] == "Hello there, welcome."
    assert set(rendered.fallbacks) == {"first_name"}


@pytest.mark.parametrize("value", [*LEFTOVERS, *NOBODIES, *EMPTIES, *IMPLAUSIBLE])
def test_without_a_fallback_nothing_leaves(value):
    with pytest.raises(Scrapped) as scrapped:
        render(message(fields={"first_name": NAME}), {"first_name": value})
    assert scrapped.value.field == "first_name"


def test_halves_of_a_placeholder_do_not_meet():
    halves = message(
        fields={"a": {"from": "event.cart_id"}, "b": {"from": "event.order_id"}}, subject=None, text="{a}{b}"
    )
    with pytest.raises(Scrapped, match="unrendered_text"):
        render(halves, {"a": "x *", "b": "|FNAME|* y"})


def test_markup_in_a_value_is_text_in_html():
    titled = message(
        fields={"title": {"from": "product.title"}}, subject=None, text="{title}", html='<p title="{title}">'
    )

    rendered = render(titled, {"title": 'Nuts "&" bolts <3 mm'})

    assert rendered.parts["html"] == '<p title="Nuts &quot;&amp;&quot; bolts &lt;3 mm">'


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.sampled_from(LEFTOVERS).flatmap(lambda t: st.text(max_size=3).map(lambda s: s + t + s))))
def test_whatever_the_data_says_no_line_breaks_and_nothing_unfilled_leaves(value):
    try:
        rendered = render(message(fields={"first_name": {"from": "profile.city"}}), {"first_name": value})
    except Scrapped:
        return
    assert not any(leftover(part) for part in rendered.parts.values())
    assert len(rendered.parts["subject"].splitlines()) == 1


@pytest.mark.parametrize("text", [text for text in LEFTOVERS if "{" not in text and text != "undefined"])
def test_a_text_with_a_placeholder_of_another_system_does_not_load(text):
    with pytest.raises(ValueError, match="placeholder of another system"):
        message(text=f"Hello {text} {{first_name}}")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"text": "Hello {last_name} {first_name}"}, "last_name is used, but not declared"),
        ({"subject": None, "text": "Hello"}, "not used in any text"),
        ({"text": "Hello {first_name"}, "a brace is open"),
        ({"text": "Hello {first_name:lower}"}, "a field is one name"),
        ({"text": "Hello {profile.first_name}"}, "a field is one name"),
        ({"text": "{first_name.upper()}"}, "no expressions"),
        ({"subject": "a\nb {first_name}"}, "one line"),
        ({"fields": {"first_name": {**NAME, "fallback": ""}}}, "at least 1 character"),
        ({"fields": {"first_name": {**NAME, "fallback": "{{name}}"}}}, "a placeholder is no fallback"),
        ({"fields": {"first_name": {"from": "secrets.key"}}}, "pattern"),
        ({"body": "x"}, "Extra inputs"),
    ],
)
def test_what_does_not_load(changes, word):
    with pytest.raises(ValueError, match=word):
        message(**changes)


def test_an_error_is_one_line_that_names_file_and_field(tmp_path):
    file = tmp_path / "hello.yml"
    file.write_text(yaml.safe_dump({"description": "x", "text": "Hi {name}"}))

    with pytest.raises(BadDeclaration) as error:
        find_message("hello", tmp_path)

    assert str(error.value) == "hello.yml: fields: name is used, but not declared"


def test_the_bundled_messages_load_and_say_something_to_a_stranger():
    for file in MESSAGES.glob("*.yml"):
        found = find_message(file.stem)
        values = {
            name: "12" if field.kind in {"amount", "integer"} else "Something" for name, field in found.fields.items()
        }
        assert render(found, values).parts["text"]
