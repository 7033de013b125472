"""How a declared destination is asked who is there."""

import json

import pytest
from declared_api import declared, sync_of

from reverse_etl.destination import Request, Response
from reverse_etl.destinations.http import Destination
from reverse_etl.read_back import Tells, tells
from reverse_etl.sync import BadDeclaration

MEMBERS = {"path": "/people?limit=9", "at": "/data/people", "identifiers": {"profile_id": "/ids/0"}}


def destination(**parts):
    return Destination(sync_of(declared(**parts)))


def page(**said):
    return Response(200, json.dumps({"data": {"people": [{"ids": ["P1"]}, {"ids": [7]}]}, **said}).encode())


def test_what_it_tells_is_what_is_declared():
    size = {"path": "/size", "at": "/count"}

    assert tells(destination()) is Tells.NOTHING
    assert tells(destination(size=size)) is Tells.SIZE
    assert tells(destination(size={**size, "counts": "matched"})) is Tells.MATCHED
    assert tells(destination(members=MEMBERS, size=size)) is Tells.MEMBERS


def test_members_are_where_the_declaration_says():
    api = destination(members=MEMBERS)

    assert api.read_back() == Request("/people?limit=9", b"", "GET")
    assert list(api.held(page())) == [{"profile_id": "p1"}, {"profile_id": "7"}]
    assert api.known_as({"profile_id": "P1"}) == {"profile_id": "p1"}


@pytest.mark.parametrize(
    ("declared", "said", "following"),
    [
        ({}, {"next": "x"}, None),
        ({"next": "/next", "cursor": "after"}, {"next": "a b&c"}, "/people?limit=9&after=a+b%26c"),
        ({"next": "/next", "cursor": "after"}, {"next": None}, None),
        ({"next": "/next", "cursor": "after"}, {}, None),
        ({"next": "/next"}, {"next": "https://elsewhere.example/steal?limit=9&page=2"}, "/people?limit=9&page=2"),
    ],
)
def test_a_page_leads_to_the_next_at_the_same_place(declared, said, following):
    api = destination(members={**MEMBERS, **declared})

    found = api.more(api.read_back(), page(**said))

    assert (found and found.path) == following


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"members": {**MEMBERS, "path": "//elsewhere.example"}}, "members.path"),
        ({"members": {**MEMBERS, "path": "/people/{key}"}}, "members"),
        ({"members": {**MEMBERS, "identifiers": {}}}, "members.identifiers"),
        ({"members": MEMBERS, "identifiers": ["first_name"]}, "members.identifiers"),
        ({"size": {"path": "/size", "at": "/n", "counts": "all"}}, "size.counts"),
    ],
)
def test_a_wrong_question_is_refused_in_one_line(parts, message):
    with pytest.raises(BadDeclaration, match=message):
        destination(**parts)
