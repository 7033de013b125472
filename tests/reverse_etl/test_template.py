"""JSON with placeholders: what they stand for, and that nothing in them runs."""

import hashlib
import json

import pytest
from declared_api import declared, sync_of
from hypothesis import given
from hypothesis import strategies as st

from reverse_etl.destinations.http import Destination
from reverse_etl.sync import BadDeclaration
from reverse_etl.template import TRANSFORMS, BadTemplate, parsed, render
from reverse_etl.testing import sample


def requested(body, changes=(), fields=("profile_id", "first_name"), **operation):
    """The request of an operation of that body."""
    operations = {"put": {"path": "/in", "body": body, **operation}, "remove": {"path": "/out"}}
    destination = Destination(sync_of(declared(operations=operations), **{name: name for name in fields}))
    return destination.request(changes or sample(destination, people=(1,), first_name="Ann"))


def filled(body, **fields):
    [change] = sample(Destination(sync_of(declared())), people=(1,), **fields)
    return json.loads(requested(body, [change], ("profile_id", *fields)).body)


def test_a_value_alone_keeps_its_type_and_text_around_it_makes_text():
    body = {"n": "{fields.n}", "b": "{fields.b}", "z": "{fields.z}", "t": "{fields.n}, {fields.b}{fields.z}!"}
    assert filled(body, n=1.5, b=True, z=None) == {"n": 1.5, "b": True, "z": None, "t": "1.5, true!"}


def test_what_is_optional_is_left_out():
    body = {"a": "{fields.a?}", "l": ["{fields.a?}", "{fields.b?}"], "t": "x{fields.a?}"}
    assert filled(body, a=None, b=0) == {"l": [0]}


def test_whole_mappings():
    assert filled({"who": "{identifiers}", "what": "{fields}"}, city="Ulm") == {
        "who": {"profile_id": "profile_id-1"},
        "what": {"profile_id": "profile_id-1", "city": "Ulm"},
    }


def test_conversions_and_what_cannot_be_converted_stays():
    body = {"i": "{fields.i:integer}", "n": "{fields.n:number}", "t": "{fields.i:text}", "b": "{fields.b:boolean}"}
    assert filled(body, i="12.0", n="1e2", b="TRUE") == {"i": 12, "n": 100.0, "t": "12.0", "b": True}
    assert filled(body, i="x", n="1_0", b="yes") == {"i": "x", "n": "1_0", "t": "x", "b": "yes"}


def test_hashes_are_of_what_was_made_of_the_value_before():
    assert filled({"h": "{fields.a:lower:sha256}"}, a="Ann@Example.com") == {
        "h": hashlib.sha256(b"ann@example.com").hexdigest()
    }


def test_braces_and_values_with_braces_are_text():
    assert filled({"t": "{{fields.a}} {fields.a}"}, a="{operation_id}") == {"t": "{fields.a} {operation_id}"}


def test_text_that_looks_like_code_is_text():
    for text in ("{fields.a.__class__}", "{1+1}", "{fields['a']}", "{fields.a!r}", "{fields.a:>10}", "{open}", "{"):
        with pytest.raises(BadDeclaration):
            requested({"t": text})


def test_a_batch_is_a_list_with_constants_around_it():
    destination = Destination(sync_of(declared()))
    changes = sample(destination, people=(1, 2))
    body = json.loads(requested({"of": "{audience}", "n": 3, "rows": {"each": ["{key}", None]}}, changes).body)
    assert body == {"of": "vip", "n": 3, "rows": [["profile_id-1", None], ["profile_id-2", None]]}


def test_forms_and_lines():
    form = requested({"To": "{key}", "Body": "a&b {fields.first_name}", "No": None}, encode="form")
    assert form.body == b"To=profile_id-1&Body=a%26b+Ann"
    assert form.headers["content-type"] == "application/x-www-form-urlencoded"
    lines = requested({"each": {"id": "{key}"}}, encode="lines")
    assert lines.body == b'{"id": "profile_id-1"}\n'
    assert lines.headers["content-type"] == "application/x-ndjson"


def test_a_path_takes_words_and_hashes_each_as_one_segment():
    request = requested(None, path="/{sync}/{identifiers.profile_id:md5}", method="DELETE")
    assert request.path == f"/vip_to_http/{hashlib.md5(b'profile_id-1').hexdigest()}"  # noqa: S324
    assert (request.method, request.body) == ("DELETE", b"")


@given(st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans())
def test_every_conversion_takes_every_value_and_gives_json(value):
    for convert in TRANSFORMS.values():
        json.dumps(convert(value), allow_nan=False)


@given(st.text())
def test_every_text_is_a_template_or_is_refused(text):
    try:
        parts = parsed(text)
    except BadTemplate:
        return
    constant = "".join(part for part in parts if isinstance(part, str))
    assert render(constant.replace("{", "{{").replace("}", "}}"), {}) == constant
