"""The API is what its own document says, whatever is sent to it."""

import json
import os
import socket

import pytest
import schemathesis
from door import KEY, basic
from hypothesis import HealthCheck, settings
from living import Living

from sources.collector import openapi

EXAMPLES = 200 if os.environ.get("CDP_TEST_WHOLE") == "1" else 8
schema = schemathesis.openapi.from_dict(json.loads(openapi.document()))


@schema.auth()
class Keys:
    """The key where the route wants it."""

    def get(self, *_):
        return KEY

    def set(self, case, data, _):
        if "/v1/" in case.path and case.path.startswith(("/beacon", "/pixel")):
            case.query = {**(case.query or {}), "writeKey": data}
        else:
            case.headers.update(basic(data))


@pytest.fixture(scope="module")
def living(tmp_path_factory):
    with Living(tmp_path_factory.mktemp("collector")) as running:
        yield running


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_surprises_the_api(case, living):
    case.call_and_validate(base_url=living.address)


def test_the_document_is_served(living):
    assert json.loads(living.ask("GET", "/openapi.json")[1]) == json.loads(openapi.document())


def test_a_load_balancer_may_ask_for_the_head_alone(living):
    asked = b"HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", living.port), timeout=10) as connection:
        connection.sendall(asked)
        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert body == b""
