"""What a run promises: the destination becomes the consented audience, and nothing is lost or sent for nothing."""

import json

import pytest
from activation_town import VIP, Remote, Town, email_of, sync_now

from reverse_etl.desired import PlanRefused
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


def test_consent_to_something_else_is_no_consent(warehouse, town):
    town.audience(["ann"], consenting=False)
    town.consent("ann", channel="sms")
    town.consent("ann", purpose="analytics")
    remote = Remote()

    sync_now(warehouse, remote)

    assert remote.names == set()


def test_one_denial_outweighs_any_grant(warehouse, town):
    town.audience(["ann"])
    warehouse.execute("insert into profiles.consents values ('ann', 'marketing', 'email', 'denied', false)")
    remote = Remote()

    sync_now(warehouse, remote)

    assert remote.names == set()


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


def test_a_shared_address_is_removed_with_its_last_owner(warehouse, town):
    shared = {"email": "home@example.com"}
    remote = Remote()
    town.audience({"ann": shared, "bob": shared})
    assert sync_now(warehouse, remote).plan.duplicate == 1
    assert [len(rows) for rows in remote.requests] == [1]
    town.audience({"bob": shared})
    sync_now(warehouse, remote)
    assert remote.members["home@example.com"]["external_id"] == "bob"
    town.audience({"cem": {}})

    sync_now(warehouse, remote)

    assert remote.names == {"cem"}


@pytest.mark.parametrize("row", ["(null, 'x@example.com', 'X', 1)", "('ann', 'x@example.com', 'X', 1)"])
def test_missing_and_repeated_keys_are_refused_with_their_count(warehouse, town, row):
    town.audience(["ann"])
    warehouse.execute(f"insert into audiences.vip values {row}")

    with pytest.raises(PlanRefused, match=r"(1 rows without profile_id, 0|0 rows without profile_id, 1)"):
        sync_now(warehouse, Remote())
    assert warehouse.execute("select state, reason from activation.sync_runs") == [("failed", "PlanRefused")]


def test_a_rejected_row_waits_until_it_changes(warehouse, town):
    remote = Remote()
    town.audience({"ann": {}, "bob": {"first_name": "Poison"}})
    report = sync_now(warehouse, remote)
    assert report.outcomes == {"add": {"delivered": 1, "rejected": 1}}
    assert report.state == "partial"
    assert report.reasons == {"told": 1}
    assert sync_now(warehouse, remote).requests == 0

    town.audience(["ann", "bob"])

    assert sync_now(warehouse, remote).outcomes == {"add": {"delivered": 1}}
    assert remote.names == {"ann", "bob"}


def test_a_rejected_change_leaves_the_member_removable(warehouse, town):
    remote = Remote()
    town.audience(["ann", "bob"])
    sync_now(warehouse, remote)
    town.audience({"ann": {}, "bob": {"first_name": "Poison"}})
    sync_now(warehouse, remote)
    town.audience(["ann"])

    sync_now(warehouse, remote)

    assert remote.names == {"ann"}


def test_who_was_never_accepted_leaves_no_address_behind_and_no_removal(warehouse, town):
    remote = Remote()
    town.audience({"bob": {"first_name": "Poison"}})
    sync_now(warehouse, remote)
    assert town.journal("identifiers") == [(None,)]
    town.audience(["ann"])

    assert sync_now(warehouse, remote).outcomes == {"add": {"delivered": 1}}
    assert len(town.journal()) == 1


@pytest.mark.parametrize("name", ["[First_Name]", "{{ first_name }}", "${first_name}", "*|FNAME|*", "%%name%%"])
def test_an_unrendered_placeholder_does_not_leave(warehouse, town, name):
    remote = Remote()
    town.audience({"ann": {}, "bob": {"first_name": name}})

    report = sync_now(warehouse, remote)

    assert remote.names == {"ann"}
    assert report.outcomes == {"add": {"delivered": 1, "scrap": 1}}
    assert report.reasons == {"unrendered_first_name": 1}
    assert sync_now(warehouse, remote).requests == 0


def test_who_has_no_address_is_counted_and_not_sent(warehouse, town):
    remote = Remote()
    town.audience({"ann": {"email": None}, "bob": {"email": "  "}, "cem": {}})

    report = sync_now(warehouse, remote)

    assert remote.names == {"cem"}
    assert report.plan.unidentified == 1
    assert report.reasons == {"missing_email": 1}


def test_who_is_less_sure_than_the_sync_asks_is_not_sent_and_leaves(warehouse, town):
    """Ads may go to a guess of who it is; what concerns an account may not."""
    remote = Remote()
    town.audience(["ann", "bob", "cem"])
    town.sure(ann="exact", bob="strict", cem="loose")
    assert sync_now(warehouse, remote, sync=VIP).plan.desired == 3

    report = sync_now(warehouse, remote, sync=VIP.model_copy(update={"min_confidence": "strict"}), approve=True)
    assert remote.names == {"ann", "bob"}
    assert (report.plan.unsure, report.outcomes) == (1, {"remove": {"delivered": 1}})

    sync_now(warehouse, remote, sync=VIP.model_copy(update={"min_confidence": "exact"}), approve=True)
    assert remote.names == {"ann"}


def test_consent_is_asked_again_before_each_batch(warehouse, town):
    """Bob changes his mind while the first batch is on its way."""
    town.audience(["ann", "bob", "cem", "dan"])
    remote = Remote(batch_rows=1)
    remote.on_request = lambda: [town.consent(n, is_granted=False) for n in ("ann", "bob", "cem", "dan")]

    report = sync_now(warehouse, remote)

    assert len(remote.requests) == 1
    assert report.count("suppressed") == 3
    remote.on_request = None
    sync_now(warehouse, remote)
    assert remote.names == set()


def test_a_row_that_changed_since_the_plan_waits_for_the_next_one(warehouse, town):
    town.audience(["ann", "bob"])
    remote = Remote(batch_rows=1)
    remote.on_request = lambda: warehouse.execute("update audiences.vip set first_name = 'New'")

    report = sync_now(warehouse, remote)

    assert report.outcomes == {"add": {"delivered": 1, "moved": 1}}
    remote.on_request = None
    sync_now(warehouse, remote)
    assert {member["first_name"] for member in remote.members.values()} == {"New"}


def test_what_was_sent_but_not_answered_is_sent_again_under_its_id(warehouse, town):
    town.audience(["ann"])
    remote = Remote(moods=["applied"])
    first = sync_now(warehouse, remote)
    assert first.outcomes == {"add": {"unknown": 1}}
    assert first.state == "partial"

    second = sync_now(warehouse, remote)

    assert second.outcomes == {"add": {"delivered": 1}}
    assert remote.requests[0][0][0] == remote.requests[1][0][0]
    assert remote.effects == [("put", email_of("ann"))]
    assert not second.duplicates_possible


def test_who_leaves_after_an_unanswered_send_is_removed(warehouse, town):
    """The trap of journals that only know acknowledgements."""
    town.audience(["ann"])
    remote = Remote(moods=["applied"])
    sync_now(warehouse, remote)
    town.audience(["bob"])

    sync_now(warehouse, remote)

    assert remote.names == {"bob"}


def test_an_unanswered_send_stays_removable_after_a_later_payload_was_rejected(warehouse, town):
    town.audience(["ann", "bob"])
    remote = Remote(moods=["applied"])
    sync_now(warehouse, remote)
    town.audience({"ann": {"first_name": "Poison"}, "bob": {}})
    sync_now(warehouse, remote)
    town.audience(["bob"])

    sync_now(warehouse, remote)

    assert remote.names == {"bob"}


def test_a_busy_answer_to_a_repeat_does_not_make_it_a_new_operation(warehouse, town):
    town.audience(["ann"])
    remote = Remote()
    for mood in ("applied", "busy", "well"):
        remote.moods = [mood]
        sync_now(warehouse, remote)

    assert remote.effects == [("put", email_of("ann"))]


def test_a_change_taken_back_after_no_answer_is_sent_all_the_same(warehouse, town):
    """The destination may hold the new name: to be the old again is news to it, also after a busy answer."""
    remote = Remote()
    for name, mood in (("Old", "well"), ("New", "applied"), ("Old", "busy"), ("Old", "well")):
        town.audience({"ann": {"first_name": name}})
        remote.moods = [mood]
        sync_now(warehouse, remote)

    assert remote.members[email_of("ann")]["first_name"] == "Old"


def test_a_rejected_change_taken_back_costs_no_request(warehouse, town):
    remote = Remote()
    for name in ("Ann", "Poison", "Ann"):
        town.audience({"ann": {"first_name": name}})
        report = sync_now(warehouse, remote)

    assert report.requests == 0


def test_the_same_payload_after_a_removal_is_a_new_operation(warehouse, town):
    """A destination that honours ids must not take the return for a replay."""
    remote = Remote()
    for people in (["ann", "bob"], ["bob"], ["ann", "bob"]):
        town.audience(people)
        sync_now(warehouse, remote, approve=True)
    assert remote.names == {"ann", "bob"}


def test_what_was_never_sent_is_not_removed_either(warehouse, town):
    """A busy destination took nothing: to send a removal would only now tell it who Ann is."""
    town.audience(["ann"])
    remote = Remote(moods=["busy"])
    sync_now(warehouse, remote)
    town.audience([])

    assert sync_now(warehouse, remote).requests == 0
    assert town.journal() == []


def test_duplicates_are_announced_where_the_destination_knows_no_ids(warehouse, town):
    town.audience(["ann"])
    remote = Remote(moods=["applied"], honours_operation_ids=False, is_set=False)
    assert not sync_now(warehouse, remote).duplicates_possible

    assert sync_now(warehouse, remote).duplicates_possible


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


def test_the_journal_keeps_no_payload(warehouse, town):
    town.audience({"ann": {"amount": 4711, "first_name": "Annemarie"}})
    sync_now(warehouse, Remote())

    kept = json.dumps(town.journal(), default=str)

    assert email_of("ann") in kept
    assert "4711" not in kept
    assert "Annemarie" not in kept


def test_errors_quote_no_value(warehouse):
    town = Town(warehouse)
    town.audience(["ann"])
    warehouse.execute("insert into audiences.vip values ('ann', 'secret@example.com', 'Secret', 1)")
    with pytest.raises(PlanRefused) as refused:
        sync_now(warehouse, Remote())
    assert "ecret" not in str(refused.value)


def test_held_is_an_error_with_a_report(warehouse, town):
    remote = Remote()
    town.audience([f"p{n}" for n in range(20)])
    sync_now(warehouse, remote)
    town.audience(["p1"])

    with pytest.raises(SyncHeld, match="--approve") as held:
        sync_now(warehouse, remote)

    assert held.value.report.state == "held"
    assert len(remote.members) == 20
