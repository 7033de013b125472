"""Who should be there: one row for each address, of those who can be named, reached and told apart."""

import pytest
from activation_town import VIP, Remote, sync_now

from reverse_etl.desired import PlanRefused


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
    [(state, reason)] = warehouse.execute("select state, reason from activation.sync_runs")
    assert (state, "make profile_id unique and not null" in reason) == ("failed", True)


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


def test_errors_quote_no_value(warehouse, town):
    town.audience(["ann"])
    warehouse.execute("insert into audiences.vip values ('ann', 'secret@example.com', 'Secret', 1)")
    with pytest.raises(PlanRefused) as refused:
        sync_now(warehouse, Remote())
    assert "ecret" not in str(refused.value)
