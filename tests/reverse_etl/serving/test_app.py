"""The API from outside: what each key sees of whom, what is refused in which shape, and what stands in no log."""

import hashlib
import logging

import pytest
import yaml
from profile_town import ANN, SUPPORT, WEBSITE, Caller
from trigger_town import NOON

from reverse_etl.serving.app import ProfileApi
from reverse_etl.serving.keys import Keys, add_key
from reverse_etl.serving.limit import Limit
from reverse_etl.serving.snapshot import publish
from reverse_etl.serving.store import SnapshotStore, WarehouseStore


@pytest.fixture(params=["snapshot", "warehouse"])
def api(request, town, tmp_path):
    keys = tmp_path / "keys.yml"
    tokens = {"website": add_key(keys, "website", WEBSITE), "support": add_key(keys, "support", SUPPORT)}
    if request.param == "snapshot":
        publish(town.warehouse, tmp_path / "profiles.sqlite", NOON)
        store = SnapshotStore(tmp_path / "profiles.sqlite")
    else:
        store = WarehouseStore(lambda: town.warehouse)
    caller = Caller(ProfileApi(store, Keys(keys), now=lambda: NOON, is_quick=True))
    caller.website, caller.support, caller.file = tokens["website"], tokens["support"], keys
    return caller


def test_the_website_sees_what_its_key_names(api):
    answer = api.ask("/v1/profiles/anonymous_id:a-ann", api.website)

    assert answer.status_code == 200
    assert answer.json() == {
        "profile_id": "ann", "confidence": "exact", "traits": {"favourite_category": "tea"}, "audiences": ["vip"],
    }  # fmt: skip
    assert answer.headers["cache-control"] == "no-store"


def test_of_who_does_not_consent_nothing_is_shown(api):
    answer = api.ask("/v1/profiles/anonymous_id:a-bob", api.website)

    assert (answer.status_code, answer.json()) == (
        200, {"withheld": {"traits": "no_consent", "audiences": "no_consent"}}
    )  # fmt: skip


def test_support_sees_the_person_who_turned_to_it(api):
    shown = api.ask(f"/v1/profiles/{ANN}", api.support).json()

    assert shown["identity"]["first_name"] == "Ann"
    assert shown["consents"] == [
        {"purpose": "personalization", "channel": "onsite", "status": "granted", "decided_at": "2026-11-26T17:00:00Z"}
    ]
    assert len(shown["events"]) == 20
    assert shown["events"][0]["occurred_at"] == "2026-11-26T17:00:00Z"


@pytest.mark.parametrize(
    "spelling", [ANN, "ANN@example.com", hashlib.sha256(ANN.encode()).hexdigest(), "user_id:u-ann", "u-ann", "a-ann"]
)
def test_one_person_by_many_names(api, spelling):
    assert api.ask(f"/v1/profiles/{spelling}", api.support).json()["profile_id"] == "ann"


def test_a_former_id_leads_to_the_profile_of_today(api):
    assert api.ask("/v1/profiles/profile_id:p_former", api.support).json()["profile_id"] == "ann"


def test_a_value_that_shall_stand_in_no_address_goes_into_the_body(api):
    answer = api.ask("/v1/profiles/lookup", api.support, "POST", json={"identifier": ANN, "include": ["traits"]})

    assert set(answer.json()) == {"profile_id", "confidence", "traits"}


@pytest.mark.parametrize(
    ("path", "who", "status", "code"),
    [
        ("/v1/profiles/user_id:u-ann", None, 401, "unauthorized"),
        ("/v1/profiles/user_id:u-ann", "cdp_unknown", 401, "unauthorized"),
        ("/v1/profiles/user_id:nobody", "website", 404, "profile_not_found"),
        ("/v1/profiles/family@example.com", "support", 404, "profile_not_found"),
        ("/v1/profiles/user_id:u-ann?include=events", "website", 403, "forbidden"),
        ("/v1/profiles/phone:+12025550101", "website", 403, "forbidden"),
        ("/v1/profiles/user_id:u-ann?include=secrets", "website", 400, "bad_include"),
        ("/v1/profiles/email:nobody", "website", 400, "bad_identifier"),
        ("/v2/profiles/x", "website", 404, "not_found"),
    ],
)
def test_what_is_refused_and_in_which_shape(api, path, who, status, code):
    answer = api.ask(path, getattr(api, who or "", who))

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert set(answer.json()["error"]) == {"code", "message"}
    assert "ann" not in answer.text


def test_other_methods_and_bodies_are_refused(api):
    assert api.ask("/v1/profiles/x", api.support, "DELETE").status_code == 405
    assert api.ask("/v1/profiles/lookup", api.support, "POST", content=b"[1]").json()["error"]["code"] == "bad_body"
    assert api.ask("/v1/profiles/lookup", api.support, "POST", content=b"x" * 5_000).status_code == 413
    assert api.ask("/v1/profiles/user_id:u-ann", api.website).headers["content-type"] == "application/json"


def test_a_key_that_is_taken_out_is_out_at_once(api):
    declared = yaml.safe_load(api.file.read_text())
    declared["website"]["expires_on"] = "2026-11-25"
    del declared["support"]
    api.file.write_text(yaml.safe_dump(declared))

    assert api.ask("/v1/profiles/user_id:u-ann", api.website).status_code == 401
    assert api.ask("/v1/profiles/user_id:u-ann", api.support).status_code == 401


def test_so_many_requests_a_second_and_no_more(api):
    moment = [0.0]
    api.api.limit = Limit(lambda: moment[0])
    declared = yaml.safe_load(api.file.read_text())
    declared["website"] |= {"requests_per_second": 2, "burst": 3}
    api.file.write_text(yaml.safe_dump(declared))

    statuses = [api.ask("/v1/profiles/user_id:u-ann", api.website).status_code for _ in range(5)]
    last = api.ask("/v1/profiles/user_id:u-ann", api.website)
    moment[0] += 0.5

    assert statuses == [200, 200, 200, 429, 429]
    assert last.headers["retry-after"] == "1"
    assert api.ask("/v1/profiles/user_id:u-ann", api.website).status_code == 200
    assert api.ask("/v1/profiles/user_id:u-ann", api.support).status_code == 200


def test_no_log_line_names_anybody(api, caplog):
    caplog.set_level(logging.DEBUG)
    for path in (f"/v1/profiles/{ANN}", "/v1/profiles/user_id:u-ann", "/v1/profiles/email:x"):
        api.ask(path, api.support)
    api.api.store = None  # an error whose trace would quote the request

    assert api.ask(f"/v1/profiles/{ANN}", api.support).status_code == 500
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("cdp")]
    assert len(ours) == 5
    assert not any("ann" in line for line in ours)


def test_the_log_says_whose_key_was_refused(api, caplog):
    """Whoever tries identifiers one after the other is seen by the key that does it."""
    caplog.set_level(logging.INFO)
    for path in ("/v1/profiles/user_id:nobody", "/v1/profiles/email:x", "/v1/profiles/user_id:u-ann?include=nothing"):
        api.ask(path, api.support)
    api.ask("/v1/profiles/user_id:u-ann", "no such key")

    said = [record.getMessage().rsplit(" ", 2)[0] for record in caplog.records if record.name == "cdp.serving"]
    assert said == ["GET support 404", "GET support 400", "GET support 400", "GET - 401"]


def test_the_description_names_every_route(api):
    document = api.ask("/openapi.json").json()

    assert set(document["paths"]) == {"/v1/profiles/{identifier}", "/v1/profiles/lookup", "/health"}
    assert api.ask("/health").status_code == 200
