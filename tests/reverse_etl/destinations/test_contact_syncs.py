"""Whole syncs to every contact tool: who is in, who left, who became another, whatever gets lost on the way."""

import pytest
from activation_town import email_of, sync_now
from contact_line import account_at, destination_of

from reverse_etl.destination import DestinationRefused
from reverse_etl.drift import drift
from reverse_etl.sync import Sync

OPTIONS = {
    "klaviyo": {"list_id": "7", "poll_seconds": 0},
    "braze": {"attribute": "7"},
    "hubspot": {"list_id": "7"},
    "salesforce": {"external_id_field": "Address__c", "member_field": "Vip__c"},
    "mailchimp": {"list_id": "7", "poll_seconds": 0},
    "iterable": {"list_id": 7},
    "customerio": {"segment_id": 7},
}
FIRST_REQUEST = {"salesforce": "sobjects"}  # before it comes a login


def address_of(vendor, member):
    return member["email_address" if vendor == "mailchimp" else "found_by" if vendor == "salesforce" else "email"]


def members(desk, vendor):
    kind = "members/Vip__c" if vendor == "salesforce" else "members/7"
    return {address_of(vendor, member) for member in desk.held(vendor, kind).values()}


@pytest.fixture(params=sorted(OPTIONS))
def vendor(request, desk, monkeypatch):
    account_at(desk, request.param, monkeypatch)
    return request.param


def sync_to(vendor):
    # a first name is a last name here: Salesforce wants one
    fields = {"email": "email", "first_name": "last_name"}
    options = OPTIONS[vendor]
    return Sync(
        audience="vip", destination=vendor, purpose="marketing", channel="email", fields=fields, options=options
    )


def run(warehouse, vendor):
    sync = sync_to(vendor)
    return sync_now(warehouse, destination_of(vendor, ("email", "last_name"), **OPTIONS[vendor]), sync)


@pytest.mark.parametrize("fault", ["drop_after_commit", "html"])
def test_the_tool_holds_the_consented_audience_whatever_gets_lost(warehouse, town, desk, vendor, fault):
    town.audience(["ann", "bob", "cem"])
    town.consent("cem", None)
    desk.plant(fault, path=FIRST_REQUEST.get(vendor, "."))
    run(warehouse, vendor)
    run(warehouse, vendor)
    assert members(desk, vendor) == {email_of("ann"), email_of("bob")}

    town.audience({"ann": {"email": " Anna@Example.com"}, "cem": {}, "dan": {}})
    town.consent("cem", None)
    desk.plant(fault, nth=2, vendor=vendor)
    run(warehouse, vendor)
    run(warehouse, vendor)
    assert members(desk, vendor) == {email_of("anna"), email_of("dan")}

    town.consent("dan", is_granted=False)
    run(warehouse, vendor)
    assert members(desk, vendor) == {email_of("anna")}
    before = len(desk.log(vendor))
    assert run(warehouse, vendor).requests == 0
    assert len(desk.log(vendor)) == before


def test_an_address_that_is_none_never_leaves(warehouse, town, desk, vendor):
    town.audience({"ann": {"email": "n/a"}, "bob": {}})

    run(warehouse, vendor)

    assert members(desk, vendor) == {email_of("bob")}


def test_two_rows_of_one_address_are_one_member_until_the_last_leaves(warehouse, town, desk, vendor):
    town.audience({"ann": {"email": "both@example.com"}, "bob": {"email": "BOTH@example.com"}, "cem": {}})
    run(warehouse, vendor)
    town.audience({"bob": {"email": "BOTH@example.com"}, "cem": {}})
    run(warehouse, vendor)
    assert members(desk, vendor) == {"both@example.com", email_of("cem")}

    town.audience(["cem"])
    run(warehouse, vendor)

    assert members(desk, vendor) == {email_of("cem")}


def test_drift_says_who_is_missing_and_who_is_unknown_there(warehouse, town, desk, vendor):
    town.audience(["ann", "bob", "cem"])
    run(warehouse, vendor)
    destination = destination_of(vendor, ("email", "last_name"), **OPTIONS[vendor])
    assert not drift(warehouse, sync_to(vendor), destination).differs

    kind = "members/Vip__c" if vendor == "salesforce" else "members/7"
    bob = next(key for key, member in desk.held(vendor, kind).items() if address_of(vendor, member) == email_of("bob"))
    forget(desk, vendor, kind, bob)

    found = drift(warehouse, sync_to(vendor), destination)
    assert (found.ours, found.missing, found.unexpected or 0) == (3, 1, 0)
    town.audience([])
    warehouse.execute("delete from activation.journal")
    if vendor != "braze":  # its users are found by key only
        assert drift(warehouse, sync_to(vendor), destination).unexpected == 2


def test_an_answer_of_somebody_else_is_no_word_on_who_is_there(warehouse, town, desk, vendor):
    town.audience(["ann"])
    run(warehouse, vendor)
    desk.plant("html", times=9, vendor=vendor)

    with pytest.raises(DestinationRefused, match="can't be read"):
        drift(warehouse, sync_to(vendor), destination_at(vendor), sleep=lambda _: None)


def destination_at(vendor):
    return destination_of(vendor, ("email", "last_name"), **OPTIONS[vendor])


def forget(desk, vendor, kind, key):
    """Take somebody off the list behind the sync's back."""
    with desk.store(vendor) as store:
        store.drop(kind, key)
        records, flag = {"salesforce": ("records", "Vip__c"), "braze": ("users", "7")}.get(vendor, ("", ""))
        if records:
            store.put(records, key, {**store.get(records, key), flag: False})
