"""Declarations that can't be honoured are refused in one line that says where."""

import re

import pytest
from declared_api import declared

from reverse_etl.http_declaration import load, read
from reverse_etl.sync import BadDeclaration


def with_body(body, **operation):
    return {"operations": {"put": {"path": "/in", "body": body, **operation}, "remove": {"path": "/out"}}}


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"url": "http://example.com"}, "url: must be an https address"),
        ({"url": "https://user:pass@example.com"}, "url: must be an https address"),
        ({"auth": {"bearer": "sk-live-abc"}}, "auth.bearer: String should match"),
        ({"auth": {"bearer": "A_TOKEN", "basic": {"user": "AAA", "password": "BBB"}}}, "say one of bearer"),
        ({"auth": {}}, "say one of bearer"),
        ({"speed": 3}, "speed: Extra inputs"),
        ({"operations": {"put": {"path": "/in"}}}, "operations.remove: Field required"),
        ({"operations": {"add": {"path": "/in"}, "remove": {"path": "/in"}}}, "say `put`, or both"),
        (with_body({}, path="//evil.example"), "must start with one slash"),
        (with_body({}, path="/a/../../b"), "must start with one slash"),
        (with_body({}, path="in"), "must start with one slash"),
        (with_body({}, path="/p/{identifiers.email}"), "identifiers.email is personal"),
        (with_body({}, path="/p/{key:lower}"), "key is personal"),
        (with_body({}, headers={"x-name": "{fields.first_name}"}), "fields.first_name is personal"),
        (with_body({"a": "{person.name}"}), "'person' is none of"),
        (with_body({"a": "{key}", "b": {"each": "{key}"}}), "'key' is a row's and stands outside"),
        (with_body({"a": "{fields.x:eval}"}), "'eval' is none of text"),
        (with_body({"a": "{options.list}"}), "options.list is not among options"),
        (with_body({"each": "{key}"}, encode="form"), "a form is a mapping for one row"),
        (with_body({"a": 1}, encode="lines"), "lines are one `each`"),
        ({"limits": {"rows": 10}, **with_body({"a": "{key}"})}, "limits.rows must be 1"),
        ({"operations": {"put": {"path": "/in"}, "remove": {"path": "/o", "body": "{fields}"}}}, "no fields"),
        ({"identifiers": ["phone"], **with_body({"a": "{identifiers.email}"})}, "not among identifiers"),
        ({"answer": {"rows": {"by": "/id"}}}, "say `status` with its words, or `every`"),
        ({"answer": {"rows": {"by": "/id", "status": "/s"}}}, "no word means `delivered`"),
        ({"answer": {"rows": {"by": "id", "every": "rejected"}}}, "must be a JSON pointer"),
        ({"answer": {"accepted": {"is": True}}}, "say `at`"),
        ({"answer": {"statuses": {"fine": [200]}}}, "answer.statuses.fine"),
    ],
)
def test_a_wrong_declaration_is_one_line_that_says_where(parts, reason):
    with pytest.raises(BadDeclaration, match=re.escape(reason)) as bad:
        read(declared(**parts), "club.yml")
    assert str(bad.value).startswith("club.yml: ")
    assert "\n" not in str(bad.value)
    assert "sk-live" not in str(bad.value)


def test_a_file_that_is_no_yaml_is_one_line(tmp_path):
    (tmp_path / "club.yml").write_text("url: [")

    with pytest.raises(BadDeclaration, match=r"club\.yml: not YAML") as bad:
        load(tmp_path / "club.yml")
    assert "\n" not in str(bad.value)
