"""Whole runs to ad platforms: from the warehouse through the engine to a vendor's server, hashes only."""

import pytest
from activation_town import email_of, sync_now

from reverse_etl.destination import DestinationRefused, load_destination
from reverse_etl.drift import drift
from reverse_etl.history import standing
from reverse_etl.normalise import sha256_hex
from reverse_etl.sync import Sync

GOOGLE = {"operating_account": "1", "poll_seconds": 0}
AUDIENCES = {
    "meta_audiences": ("meta", "2380001", {"audience_id": "2380001"}, "META", "EMAIL="),
    "google_data_manager": (
        "google",
        "700",
        {**GOOGLE, "list_id": "700", "customer_match_terms": "accepted"},
        "GOOGLE",
        "emailAddress=",
    ),
    "tiktok_audiences": ("tiktok", "167", {"advertiser_id": "1", "audience_id": "167"}, "TIKTOK", "EMAIL_SHA256="),
    "linkedin_segments": ("linkedin", "123", {"segment_id": "123"}, "LINKEDIN", "SHA256_EMAIL="),
}
CONVERSIONS = {
    "meta_conversions": ("meta", "events/990", {"dataset_id": "990"}, "META"),
    "google_conversions": ("google", "events/55", {**GOOGLE, "conversion_action_id": "55"}, "GOOGLE"),
}


def declared(destination, options, mode="mirror", **fields):
    return Sync(
        audience="vip",
        destination=destination,
        purpose="advertising",
        channel="ads",
        mode=mode,
        fields={"email": "email", **fields},
        options=options,
    )


def account(desk, monkeypatch, vendor, prefix):
    monkeypatch.setenv(f"{prefix}_URL", desk.url(vendor))
    monkeypatch.setenv(f"{prefix}_ACCESS_TOKEN", "sandbox")


@pytest.fixture(params=AUDIENCES)
def platform(request, desk, monkeypatch):
    """A sync and the people its vendor holds, by name."""
    vendor, audience, options, prefix, before = AUDIENCES[request.param]
    account(desk, monkeypatch, vendor, prefix)
    names = {f"{before}{sha256_hex(email_of(name))}": name for name in ("ann", "bob", "cem", "dora", "anna")}
    sync = declared(request.param, options)
    return sync, vendor, lambda: {names[key] for key in desk.held(vendor, f"members/{audience}")}


def run(town, sync, **options):
    return sync_now(town.warehouse, load_destination(sync), sync, **options)


def consent(town, *names, is_granted=True):
    for name in names:
        town.consent(name, is_granted, purpose="advertising", channel="ads")


def test_a_platform_holds_the_consented_audience(town, platform):
    sync, _, held = platform
    town.audience(["ann", "bob", "cem", "dora"], consenting=False)
    consent(town, "ann", "bob", "cem")

    run(town, sync)
    assert held() == {"ann", "bob", "cem"}

    town.audience({"ann": {"email": email_of("anna")}, "cem": {}, "dora": {}}, consenting=False)
    consent(town, "cem", is_granted=False)
    consent(town, "dora")
    run(town, sync, approve=True)
    assert held() == {"anna", "dora"}  # the old address, who left and who took consent back are gone

    assert run(town, sync).plan.size == 0


@pytest.mark.parametrize("action", ["drop_after_commit", "429", "html"])
def test_a_fault_loses_no_removal(town, platform, desk, action):
    sync, vendor, held = platform
    town.audience(["ann", "bob", "cem"], consenting=False)
    consent(town, "ann", "bob", "cem")
    run(town, sync)
    town.audience(["ann", "dora"], consenting=False)
    consent(town, "dora")

    desk.plant(action, vendor=vendor, times=2)
    for _ in range(3):
        run(town, sync, approve=True)

    assert held() == {"ann", "dora"}


def test_the_warehouse_keeps_hashes_of_whom_a_platform_holds(town, platform):
    sync, _, _ = platform
    town.audience(["ann"], consenting=False)
    consent(town, "ann")
    run(town, sync)

    kept = str(town.journal("identifiers"))
    assert sha256_hex(email_of("ann")) in kept
    assert "@" not in kept


def test_the_standing_of_a_sync_names_the_pause_of_its_account(town, platform, desk):
    sync, vendor, _ = platform
    town.audience(["ann", "bob"], consenting=False)
    consent(town, "ann", "bob")
    desk.plant("401", vendor=vendor, times=9)

    with pytest.raises(DestinationRefused):
        run(town, sync)

    found = standing(town.warehouse, sync)
    assert found.state == "failed"
    assert found.paused.startswith("auth_")
    assert found.reason == found.paused


def test_a_phone_that_two_share_stays_until_the_second_leaves(town, desk, monkeypatch):
    """At TikTok each identifier is mapped on its own: to remove one person's phone is to remove it for all."""
    account(desk, monkeypatch, "tiktok", "TIKTOK")
    sync = declared("tiktok_audiences", AUDIENCES["tiktok_audiences"][2], first_name="phone")
    people = {name: {"first_name": "+12025550101"} for name in ("ann", "bob")}
    town.audience(people, consenting=False)
    consent(town, "ann", "bob")

    def kinds():
        return sorted(key.split("=")[0] for key in desk.held("tiktok", "members/167"))

    run(town, sync)
    assert kinds() == ["EMAIL_SHA256", "EMAIL_SHA256", "PHONE_SHA256"]
    consent(town, "ann", is_granted=False)
    run(town, sync)
    assert kinds() == ["EMAIL_SHA256", "PHONE_SHA256"]
    town.audience([], consenting=False)
    run(town, sync, approve=True)
    assert kinds() == []


@pytest.mark.parametrize("destination", CONVERSIONS)
def test_an_event_is_delivered_once_whatever_happens(town, desk, monkeypatch, destination):
    vendor, kind, options, prefix = CONVERSIONS[destination]
    account(desk, monkeypatch, vendor, prefix)
    monkeypatch.setenv("CDP_NOW", "2026-11-20T12:00:00")
    columns = {"profile_id": "event_id", "first_name": "event_time", "amount": "value"}
    sync = declared(destination, options, "append_events", **columns).model_copy(
        update={"templates": {"currency": "EUR"}}
    )
    happened = {"first_name": "2026-11-20T10:00:00Z"}
    town.audience({"ann": happened, "bob": happened}, consenting=False)
    consent(town, "ann", "bob")

    desk.plant("drop_after_commit", vendor=vendor, path="events")
    run(town, sync)
    assert run(town, sync).plan.size == 0
    town.audience({"bob": happened, "cem": happened, "dora": happened}, consenting=False)
    consent(town, "cem")
    run(town, sync)

    events = desk.held(vendor, kind)
    assert {key.split("/")[-1] for key in events} == {"ann", "bob", "cem"}
    assert email_of("ann") not in str(events)


def test_drift_at_a_platform_is_a_match_rate_and_never_a_difference(town, platform, desk):
    sync, vendor, _ = platform
    names = [f"p{n}" for n in range(120)]  # Meta tells nothing of fewer than a hundred
    town.audience(names, consenting=False)
    consent(town, *names)
    run(town, sync)
    [audience] = {kind for kind in desk.kinds(vendor) if kind.startswith("members/")}
    with desk.store(vendor) as store:
        store.drop_all(audience, list(store.all(audience))[:15])

    found = drift(town.warehouse, sync, load_destination(sync))

    assert (found.ours, found.matched, found.match_rate, found.differs) == (120, 105, 0.875, False)
    assert "88%" in str(found)
