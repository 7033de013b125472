"""What each mode does with who is new, who changed and who left; and what a mapping makes of a row."""

import pytest
from activation_town import VIP, Remote, email_of, sync_now

from reverse_etl.sync import BadDeclaration, Sync, all_syncs, in_order, load_sync


def mode(name, **changes):
    return VIP.model_copy(update={"mode": name, **changes})


def sent(remote):
    return [(row[1], row[2]["email"].split("@")[0]) for rows in remote.requests for row in rows]


HISTORY = (
    ({"ann": {}, "bob": {}}, {}),
    ({"ann": {"amount": 2}, "cem": {}}, {}),
    ({"ann": {"amount": 2}, "cem": {}}, {"ann": False}),
)
EXPECTED = {
    "mirror": [("add", "ann"), ("add", "bob"), ("remove", "bob"), ("change", "ann"), ("add", "cem"), ("remove", "ann")],
    "upsert": [("add", "ann"), ("add", "bob"), ("change", "ann"), ("add", "cem"), ("remove", "ann")],
    "update": [("change", "ann"), ("change", "bob"), ("change", "ann"), ("change", "cem"), ("remove", "ann")],
    "insert": [("add", "ann"), ("add", "bob"), ("add", "cem"), ("remove", "ann")],
    "add": [("add", "ann"), ("add", "bob"), ("add", "cem"), ("remove", "ann")],
    "remove": [("remove", "ann"), ("remove", "bob"), ("remove", "cem")],
    "append_events": [("add", "ann"), ("add", "bob"), ("add", "cem")],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_mode_sends_what_it_says_and_then_nothing(warehouse, town, name):
    remote = Remote()
    for people, consents in HISTORY:
        town.audience(people)
        for person, is_granted in consents.items():
            town.consent(person, is_granted)
        sync_now(warehouse, remote, mode(name), approve=True)

    assert sorted(sent(remote)) == sorted(EXPECTED[name])
    assert sync_now(warehouse, remote, mode(name), approve=True).requests == 0


def test_a_removal_needs_no_consent_and_is_done_once(warehouse, town):
    remote = Remote(members={email_of("ann"): {}, email_of("eve"): {}})
    town.audience(["ann"], consenting=False)

    sync_now(warehouse, remote, mode("remove"))

    assert remote.names == {"eve"}
    assert town.journal("identifiers, is_held") == [(None, False)]


def test_a_rejected_removal_of_a_list_waits_until_it_is_retried(warehouse, town):
    remote = Remote()
    remote.apply = lambda *_: "rejected"
    town.audience(["ann"])
    sync_now(warehouse, remote, mode("remove"))
    assert sync_now(warehouse, remote, mode("remove")).requests == 0

    assert sync_now(warehouse, remote, mode("remove"), kind="retry-rejected").requests == 1


def test_people_held_under_another_mode_are_still_removed(warehouse, town):
    remote = Remote()
    town.audience(["ann", "bob"])
    sync_now(warehouse, remote)
    town.audience(["ann"])

    sync_now(warehouse, remote, mode("append_events"), approve=True)

    assert remote.names == {"ann"}


def test_events_of_one_person_are_several_and_leave_no_address_behind(warehouse, town):
    remote = Remote()
    town.audience({"e1": {"email": "a@example.com"}, "e2": {"email": "a@example.com"}})

    report = sync_now(warehouse, remote, mode("append_events"))

    assert report.outcomes == {"add": {"delivered": 2}}
    assert town.journal("identifiers") == [(None,), (None,)]


def test_an_event_keeps_its_id_when_the_journal_is_lost(warehouse, town):
    remote = Remote()
    town.audience({"e1": {}})
    sync_now(warehouse, remote, mode("append_events"))
    warehouse.execute("delete from activation.journal")
    sync_now(warehouse, remote, mode("append_events"))

    first, second = (rows[0][0] for rows in remote.requests)
    assert first == second
    assert len(remote.effects) == 1


def test_an_insert_without_an_answer_is_repeated_under_its_id_whatever_changed(warehouse, town):
    remote = Remote(moods=["applied"])
    town.audience({"ann": {}})
    sync_now(warehouse, remote, mode("insert"))
    town.audience({"ann": {"amount": 2}})

    sync_now(warehouse, remote, mode("insert"))

    assert remote.requests[0][0][0] == remote.requests[1][0][0]


@pytest.mark.parametrize("name", ["insert", "append_events"])
def test_what_is_delivered_once_is_not_resynced(warehouse, town, name):
    with pytest.raises(BadDeclaration, match="twice"):
        sync_now(warehouse, Remote(), mode(name), kind="resync")


def declared(**changes):
    return Sync.model_validate({**VIP.model_dump(exclude={"field_rules", "guards", "split"}), **changes})


def test_nulls_are_sent_skipped_or_cleared(warehouse, town):
    town.audience({"ann": {"first_name": None}})
    fields = {"email": "email", "first_name": {"to": "name", "nulls": "skip"}}
    for nulls, expected in (("send", {"name": None}), ("skip", {}), ("clear", {"name": None})):
        remote = Remote()
        fields["first_name"] = {"to": "name", "nulls": nulls}
        sync = declared(fields=fields, destination=f"remote_{nulls}")
        sync_now(warehouse, remote, sync)
        assert remote.members[email_of("ann")] == {"email": email_of("ann"), **expected}


def test_what_is_set_once_goes_with_the_first_delivery_only(warehouse, town):
    remote = Remote()
    sync = declared(fields={"email": "email", "first_name": {"set_once": True}, "amount": "amount"})
    town.audience({"ann": {"first_name": "Ann"}})
    sync_now(warehouse, remote, sync)
    town.audience({"ann": {"first_name": "Bea"}})
    assert sync_now(warehouse, remote, sync).requests == 0
    town.audience({"ann": {"first_name": "Bea", "amount": 2}})

    sync_now(warehouse, remote, sync)

    assert remote.requests[0][0][3]["first_name"] == "Ann"
    assert remote.requests[1][0][3] == {"email": email_of("ann"), "amount": 2}


def test_templates_and_constants_make_fields(warehouse, town):
    remote = Remote()
    sync = declared(
        fields={"email": "email"},
        templates={"full": "{first_name}  ({amount})", "source": "warehouse", "rank": 3, "empty": "{first_name}"},
    )
    town.audience({"ann": {"first_name": None, "amount": 7}})
    sync_now(warehouse, remote, sync)
    assert remote.members[email_of("ann")] == {
        "email": email_of("ann"), "full": "(7)", "source": "warehouse", "rank": 3, "empty": None,
    }  # fmt: skip
    town.audience({"ann": {"first_name": "Ann", "amount": 7}})

    assert sync_now(warehouse, remote, sync).outcomes == {"change": {"delivered": 1}}


def test_a_value_of_another_type_than_promised_stays_here(warehouse, town):
    town.audience({"ann": {}, "bob": {}})
    remote = Remote()
    sync = declared(fields={"email": "email", "first_name": {"type": "text"}, "amount": {"type": "text"}})

    assert sync_now(warehouse, remote, sync).reasons == {"wrong_type_amount": 2}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"templates": {"x": "{a b}"}}, "no column"),
        ({"templates": {"x": "{upper(email)}"}}, "expressions belong"),
        ({"templates": {"x": "{email"}}, "brace"),
        ({"templates": {"email": "x"}}, "mapped twice"),
        ({"fields": {"email": {"to": "email", "nulls": "perhaps"}}}, "nulls"),
        ({"fields": {"email": {"to": "email", "colour": 1}}}, "colour"),
        ({"guards": {"floor": "hold"}}, "limit"),
        ({"guards": {"removed_share": 3}}, "between 0 and 1"),
        ({"guards": {"shrinking": 3}}, "shrinking"),
        ({"split": {"seed": "s"}}, "holdout, arms"),
        ({"split": {"seed": "s'", "holdout": 0.1}}, "seed"),
        ({"split": {"seed": "s", "arms": {"a": 0}}}, "above 0"),
        ({"after": ["vip_to_remote"]}, "itself"),
        ({"purpose": ["marketing", "marketing"]}, "once"),
        ({"purpose": []}, "once"),
    ],
)
def test_what_a_declaration_may_not_say(tmp_path, changes, reason):
    import yaml

    file = tmp_path / "vip_to_remote.yml"
    base = {"audience": "vip", "destination": "remote", "purpose": "marketing", "channel": "email"}
    file.write_text(yaml.safe_dump({**base, "fields": {"email": "email"}, **changes}))
    with pytest.raises(BadDeclaration) as refused:
        load_sync(file)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_column_of_a_template_is_named(warehouse, town):
    town.audience(["ann"])
    with pytest.raises(BadDeclaration, match="no column nick"):
        sync_now(warehouse, Remote(), declared(templates={"x": "{nick}"}))


def test_all_purposes_must_be_granted(warehouse, town):
    town.audience(["ann", "bob"])
    town.consent("bob", purpose="analytics")
    remote = Remote()
    sync = declared(purpose=["marketing", "analytics"])
    sync_now(warehouse, remote, sync)
    assert remote.names == {"bob"}
    town.consent("bob", is_granted=False, purpose="analytics")

    assert sync_now(warehouse, remote, sync).plan.revoked == 1
    assert remote.names == set()


def test_syncs_come_after_those_they_name_and_circles_are_refused():
    def one(audience, *after):
        return VIP.model_copy(update={"audience": audience, "after": tuple(f"{name}_to_remote" for name in after)})

    ordered = in_order([one("a", "b"), one("b", "c"), one("c")])
    assert [sync.audience for sync in ordered] == ["c", "b", "a"]
    with pytest.raises(BadDeclaration, match="circle"):
        in_order([one("a", "b"), one("b", "a")])
    with pytest.raises(BadDeclaration, match="no sync 'z_to_remote'"):
        in_order([one("a", "z")])
    assert in_order(all_syncs())
