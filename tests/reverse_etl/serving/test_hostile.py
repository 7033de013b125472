"""Whatever is sent, the API answers in its own shape, and never with an error of its own."""

import asyncio
import json

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from trigger_town import NOON

from reverse_etl.serving.app import ProfileApi
from reverse_etl.serving.keys import Keys, add_key


class Nobody:
    """A store without people."""

    def find(self, asked):
        assert len(asked.digest) == 16

    def published_at(self):
        return None


@pytest.fixture(scope="module")
def caller(tmp_path_factory):
    keys = tmp_path_factory.mktemp("keys") / "keys.yml"
    rights = {"scopes": ["traits"], "purposes": ["service"], "basis": "x", "requests_per_second": 1e9, "burst": 10**9}
    token = add_key(keys, "support", rights)
    api = ProfileApi(Nobody(), Keys(keys), now=lambda: NOON)

    def ask(method, path, query=b"", body=b"", authorization=None):
        sent = []
        given = f"Bearer {token}".encode() if authorization is None else authorization
        scope = {"type": "http", "method": method, "path": path, "query_string": query,
                 "headers": [(b"authorization", given)]}  # fmt: skip

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            sent.append(message)

        asyncio.run(api(scope, receive, send))
        return sent[0]["status"], json.loads(sent[1]["body"])

    return ask


HOSTILE = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))


@HOSTILE
@given(text=st.text(max_size=400), query=st.binary(max_size=60))
def test_any_identifier(caller, text, query):
    status, said = caller("GET", f"/v1/profiles/{text}", query)

    assert status in {400, 403, 404}
    assert set(said["error"]) == {"code", "message"}
    assert len(text) < 12 or text not in said["error"]["message"]


INCLUDES = st.one_of(st.none(), st.integers(), st.lists(st.text(max_size=8)), st.just(["traits"]))
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=30)  # with halves of letters, as JSON may say them
LOOKUPS = st.builds(
    lambda text, include: json.dumps({"identifier": text, "include": include}).encode(), ANY_TEXT, INCLUDES
)


@HOSTILE
@given(body=st.one_of(st.binary(max_size=200), LOOKUPS))
def test_any_body(caller, body):
    status, said = caller("POST", "/v1/profiles/lookup", body=body)

    assert status in {400, 403, 404}
    assert "error" in said


@HOSTILE
@given(authorization=st.binary(max_size=100))
def test_any_key(caller, authorization):
    assert caller("GET", "/v1/profiles/user_id:1", authorization=authorization)[0] == 401
