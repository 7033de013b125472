"""What a run promises: the destination becomes the consented audience, and nothing is lost or sent for nothing."""

import json

import pytest
from activation_town import VIP, Remote, email_of, sync_now

from reverse_etl.destination import DestinationRefused
from reverse_etl.run import SyncHeld, preview


def test_the_destination_holds_the_consented_audience(warehouse, town):
    town.audience(["ann", "bob", "cem"])
    town.consent("bob", is_granted=False)
    town.consent("cem", None)
    remote = Remote()

    report = sync_now(warehouse, remote)

    assert remote.names == {"ann"}
    assert remote.members[email_of("ann")] == {
        "external_id": "ann",
        "email": email_of("ann"),
        "first_name": "Ann",
        "amount": 1,
    }
    assert report.state == "succeeded"
    assert report.outcomes == {"add": {"delivered": 1}}
    assert report.plan.unconsented == 2


def test_unchanged_people_cost_no_request(warehouse, town):
    town.audience(["ann", "bob"])
    remote = Remote()
    sync_now(warehouse, remote)

    report = sync_now(warehouse, remote)

    assert report.plan.size == report.requests == 0
    assert len(remote.requests) == 1


def test_only_mapped_columns_make_a_change(warehouse, town):
    town.audience(["ann"])
    remote = Remote()
    sync = VIP.model_copy(update={"fields": {"email": "email"}})
    sync_now(warehouse, remote, sync)

    town.audience({"ann": {"amount": 99}})

    assert sync_now(warehouse, remote, sync).requests == 0


@pytest.mark.parametrize(("before", "after"), [("Ann", None), (None, "Ann"), (None, ""), ("", None)])
def test_a_value_that_becomes_null_or_stops_being_null_is_a_change(warehouse, town, before, after):
    remote = Remote()
    town.audience({"ann": {"first_name": before}})
    sync_now(warehouse, remote)
    town.audience({"ann": {"first_name": after}})

    report = sync_now(warehouse, remote)

    assert report.outcomes == {"change": {"delivered": 1}}
    assert remote.members[email_of("ann")]["first_name"] == after


def test_who_leaves_the_audience_is_removed_by_what_was_delivered(warehouse, town):
    """The row is gone from the warehouse: only the journal knows the address."""
    town.audience(["ann", "bob"])
    remote = Remote()
    sync_now(warehouse, remote)
    town.audience(["bob"])
    warehouse.execute("delete from profiles.consents where profile_id = 'ann'")

    sync_now(warehouse, remote)

    assert remote.names == {"bob"}
    assert [row[1:3] for row in remote.requests[-1]] == [["remove", {"email": email_of("ann")}]]
    assert len(town.journal()) == 1  # whoever is gone leaves no trace


@pytest.mark.parametrize("now", ["anna@example.com", None])
def test_a_changed_or_vanished_address_removes_the_old_one(warehouse, town, now):
    town.audience(["ann", "bob"])
    remote = Remote()
    sync_now(warehouse, remote)
    town.audience({"ann": {"email": now}, "bob": {}})

    sync_now(warehouse, remote)

    assert set(remote.members) == {email_of("bob")} | ({now} if now else set())
    operations = [row[1] for request in remote.requests[1:] for row in request]
    assert operations == ["remove", "add"][: len(operations)]  # removals go first


def test_a_changed_key_sends_nothing_while_the_address_is_the_same(warehouse, town):
    remote = Remote()
    sync = VIP.model_copy(update={"fields": {"email": "email"}})
    town.audience({"ann": {}})
    sync_now(warehouse, remote, sync)
    town.audience({"ann-merged": {"email": email_of("ann")}})

    assert sync_now(warehouse, remote, sync).requests == 0
    assert town.journal("record_key, profile_id") == [("ann-merged", "ann-merged")]


def test_a_row_that_changed_since_the_plan_waits_for_the_next_one(warehouse, town):
    town.audience(["ann", "bob"])
    remote = Remote(batch_rows=1)
    remote.on_request = lambda: warehouse.execute("update audiences.vip set first_name = 'New'")

    report = sync_now(warehouse, remote)

    assert report.outcomes == {"add": {"delivered": 1, "moved": 1}}
    remote.on_request = None
    sync_now(warehouse, remote)
    assert {member["first_name"] for member in remote.members.values()} == {"New"}


def test_wrong_credentials_stop_the_run_and_blame_no_row(warehouse, town):
    town.audience(["ann", "bob"])
    remote = Remote(moods=[401], batch_rows=1)

    with pytest.raises(DestinationRefused, match="auth_http_401"):
        sync_now(warehouse, remote)

    assert len(remote.requests) == 1
    assert warehouse.execute("select state, reason from activation.sync_runs") == [("failed", "auth_http_401")]
    assert warehouse.execute("select failures, pause_reason from activation.accounts") == [(0, "auth_http_401")]
    assert sync_now(warehouse, remote).outcomes == {"add": {"delivered": 2}}


def test_a_destination_that_is_down_is_not_hammered(warehouse, town):
    town.audience([f"p{n}" for n in range(9)])
    remote = Remote(moods=["down"] * 9, batch_rows=1)

    report = sync_now(warehouse, remote)

    assert len(remote.requests) == 3
    assert report.outcomes == {"add": {"deferred": 3}}


def test_upsert_keeps_who_left_but_not_without_consent(warehouse, town):
    sync = VIP.model_copy(update={"mode": "upsert"})
    remote = Remote()
    town.audience({"ann": {}, "bob": {}, "cem": {}})
    sync_now(warehouse, remote, sync)
    town.audience({"cem": {"email": "new@example.com"}})
    town.consent("bob", is_granted=False)

    sync_now(warehouse, remote, sync)

    assert set(remote.members) == {email_of("ann"), "new@example.com"}


def test_a_changed_mapping_sends_everyone_anew(warehouse, town):
    remote = Remote()
    town.audience(["ann"])
    sync_now(warehouse, remote)
    renamed = VIP.model_copy(update={"fields": {**VIP.fields, "first_name": "given_name"}})

    assert sync_now(warehouse, remote, renamed).outcomes == {"change": {"delivered": 1}}
    assert remote.members[email_of("ann")]["given_name"] == "Ann"


def test_two_syncs_of_one_audience_keep_apart(warehouse, town):
    here, there = Remote(), Remote()
    town.audience(["ann"])
    sync_now(warehouse, here)
    sync_now(warehouse, there, VIP.model_copy(update={"destination": "elsewhere"}))

    assert here.names == there.names == {"ann"}


def test_a_preview_counts_and_leaves_no_trace(warehouse, town):
    town.audience(["ann", "bob"])
    remote = Remote()
    sync_now(warehouse, remote)
    town.audience({"bob": {"amount": 5}, "cem": {}})
    before = town.journal()

    planned, held = preview(warehouse, VIP, destination=remote, gate="ignored")

    assert (planned.add, planned.change, planned.remove, planned.held) == (1, 1, 1, 2)
    assert held == ""
    assert town.journal() == before
    assert warehouse.execute("select count(*) from activation.plan") == [(0,)]
    assert len(remote.requests) == 1


def test_the_log_of_runs_adds_up_and_names_nobody(warehouse, town):
    town.audience({"ann": {}, "bob": {"first_name": "Poison"}, "cem": {"first_name": "[Name]"}})
    sync_now(warehouse, Remote())

    [row] = warehouse.execute(
        "select state, planned_add, attempted_add, succeeded_add, failed_add, held_count, scrap_count, "
        "finished_at is not null from activation.sync_runs"
    )
    assert row == ("partial", 3, 2, 1, 2, 1, 1, True)
    logged = json.dumps(
        [warehouse.execute(f"select * from activation.{t}") for t in ("attempts", "sync_runs", "plan")],
        default=str,
    )
    assert "@" not in logged
    assert "Ann" not in logged
    assert warehouse.execute("select outcome, count(*) from activation.attempts group by 1 order by 1") == [
        ("delivered", 1),
        ("rejected", 2),
    ]


def test_held_is_an_error_with_a_report(warehouse, town):
    remote = Remote()
    town.audience([f"p{n}" for n in range(20)])
    sync_now(warehouse, remote)
    town.audience(["p1"])

    with pytest.raises(SyncHeld, match="--approve") as held:
        sync_now(warehouse, remote)

    assert held.value.report.state == "held"
    assert len(remote.members) == 20
