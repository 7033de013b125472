"""The servers of contact and message tools refuse what their vendors refuse: keys, limits, shapes."""

import base64
import json

import httpx
import pytest


def basic(text):
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


KLAVIYO = {"authorization": "Klaviyo-API-Key pk_sandbox", "revision": "2026-10-15"}
BRAZE = {"authorization": "Bearer braze-sandbox"}
HUBSPOT = {"authorization": "Bearer hubspot-sandbox"}
MAILCHIMP = basic("any:sandbox-us1")
ITERABLE = {"api-key": "iterable-sandbox"}
CUSTOMERIO = basic("sandbox:sandbox")
TWILIO = basic("ACsandbox:sandbox")
MESSAGES = "/2010-04-01/Accounts/ACsandbox/Messages.json"
UPSERT = "/crm/v3/objects/contacts/batch/upsert"


def post(desk, vendor, path, body, headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(f"{desk.url(vendor)}{path}", content=content, headers=headers or {})


@pytest.mark.parametrize(
    ("vendor", "path"),
    [
        ("klaviyo", "/profile-bulk-import-jobs"),
        ("braze", "/users/track"),
        ("hubspot", UPSERT),
        ("salesforce", "/services/data/v60.0/composite"),
        ("mailchimp", "/batches"),
        ("iterable", "/lists/subscribe"),
        ("customerio", "/api/v2/batch"),
        ("twilio", MESSAGES),
    ],
)
def test_without_a_key_nothing_goes(desk, vendor, path):
    assert post(desk, vendor, path, {}).status_code == 401


def import_of(*profiles):
    attributes = {"profiles": {"data": [{"type": "profile", "attributes": profile} for profile in profiles]}}
    return {"data": {"type": "profile-bulk-import-job", "attributes": attributes}}


def inputs(*ids, **properties):
    return {"inputs": [{"idProperty": "email", "id": id_, "properties": properties} for id_ in ids]}


def operation(method, path, **body):
    return {"operations": [{"method": method, "path": path, "body": json.dumps(body), "operation_id": "1"}]}


MANY_PEOPLE = [{"email": f"p{n}@example.com"} for n in range(1_001)]


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (("klaviyo", "/profile-bulk-import-jobs", import_of(), KLAVIYO), 400),
        (("klaviyo", "/profile-bulk-import-jobs", import_of({"first_name": "Ann"}), KLAVIYO), 400),
        (("klaviyo", "/profile-bulk-import-jobs", import_of({"email": "a@b.co", "ltv": 1}), KLAVIYO), 400),
        (("klaviyo", "/profile-bulk-import-jobs", import_of({"phone_number": "0171"}), KLAVIYO), 400),
        (("klaviyo", "/profile-bulk-import-jobs", b" " * 5_000_001, KLAVIYO), 413),
        (("klaviyo", "/profile-bulk-import-jobs", import_of({"email": "a@b.co"}), {**KLAVIYO, "revision": ""}), 400),
        (("braze", "/users/track", {"attributes": [{"external_id": str(n)} for n in range(76)]}, BRAZE), 400),
        (("braze", "/users/track", {"attributes": [{"ltv": 1}]}, BRAZE), 400),
        (("hubspot", UPSERT, inputs(*[f"p{n}@example.com" for n in range(101)]), HUBSPOT), 400),
        (("hubspot", UPSERT, inputs("ann@example.com", "Ann@example.com"), HUBSPOT), 400),
        (("hubspot", UPSERT, inputs("ann@example.com", shoe_size="7"), HUBSPOT), 400),
        (("hubspot", UPSERT, inputs("ann@example.com", phone=7), HUBSPOT), 400),
        (("hubspot", UPSERT, inputs(7), HUBSPOT), 400),
        (("mailchimp", "/batches", {"operations": []}, MAILCHIMP), 400),
        (("iterable", "/lists/subscribe", {"listId": 1, "subscribers": MANY_PEOPLE}, ITERABLE), 400),
        (("iterable", "/lists/subscribe", b" " * 4_000_001, ITERABLE), 413),
        (("customerio", "/api/v2/batch", b" " * 500_001, CUSTOMERIO), 400),
        (("customerio", "/api/v1/segments/1/add_customers", {"ids": ["x"] * 1_001}, CUSTOMERIO), 400),
        (("twilio", MESSAGES, b"To=%2B12025550101&Body=Hi", TWILIO), 400),
        (("slack", "/services/T000/B000/general", {"text": ""}, {}), 400),
        (("slack", "/services/elsewhere", {"text": "hi"}, {}), 404),
    ],
)
def test_what_a_vendor_would_refuse_is_refused(desk, call, status):
    assert post(desk, *call).status_code == status


def test_a_refused_import_names_the_profile_and_imports_none(desk):
    body = import_of({"email": "ann@example.com"}, {"email": "bob@example.com", "phone_number": "0171"})

    (error,) = post(desk, "klaviyo", "/profile-bulk-import-jobs", body, KLAVIYO).json()["errors"]

    assert error["source"]["pointer"] == "/data/attributes/profiles/data/1/attributes/phone_number"
    assert desk.held("klaviyo", "profiles") == {}


def test_klaviyos_subscribe_lifts_suppressions_which_is_why_no_sync_calls_it(desk):
    with desk.store("klaviyo") as store:
        store.put("suppressions", "ann@example.com", {})
    profiles = {"profiles": {"data": [{"type": "profile", "attributes": {"email": "ann@example.com"}}]}}
    body = {"data": {"type": "profile-subscription-bulk-create-job", "attributes": profiles}}

    assert post(desk, "klaviyo", "/profile-subscription-bulk-create-jobs", body, KLAVIYO).status_code == 202
    assert desk.held("klaviyo", "suppressions") == {}


def test_mailchimps_call_for_many_subscribes_which_is_why_no_sync_calls_it(desk):
    member = "/lists/L1/members/" + "3" * 32
    body = {"members": [{"email_address": "ann@example.com", "status": "subscribed"}], "update_existing": True}

    post(desk, "mailchimp", "/lists/L1", body, MAILCHIMP)

    assert [m["status"] for m in desk.held("mailchimp", "members/L1").values()] == ["subscribed"]
    for wrong in (operation("PUT", member, email_address="ann@example.com"), operation("PUT", member)):
        post(desk, "mailchimp", "/batches", wrong, MAILCHIMP)
    assert {b["results"][0]["status_code"] for b in desk.held("mailchimp", "batches").values()} == {400}


def test_a_new_mailchimp_member_needs_a_status(desk):
    member = "/lists/L1/members/21621082ce08752982233c3c5cd5b836"
    wish = operation("PUT", member, email_address="urist.mcvankab@freddiesjerky.com")

    post(desk, "mailchimp", "/batches", wish, MAILCHIMP)

    assert desk.held("mailchimp", "batches")["b1"]["results"][0]["status_code"] == 400


@pytest.mark.parametrize("vendor", ["klaviyo", "hubspot", "mailchimp", "iterable", "customerio", "twilio", "slack"])
def test_they_fail_in_their_own_words_and_say_when_to_come_back(desk, vendor):
    desk.plant("429", seconds=4, vendor=vendor)

    answer = post(desk, vendor, "/", {})

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "4")
    assert answer.text
