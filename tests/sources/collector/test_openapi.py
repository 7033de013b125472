"""The API is what its own document says, whatever is sent to it."""

import json
import os

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
