"""`cdp who`: from anything that stands for a person to the records that say so."""

import json
from datetime import timedelta

import pytest
from people import ADA, ADA_CARD, ADA_COOKIE, ADA_LOGIN, ADA_PHONE, BEN, BEN_LOGIN, KIOSK, values

from dagster_cdp.identity.finding import NotBuilt, NotFound


def chain_to(document, kind):
    return next(chain for chain in document["chains"] if chain["to"]["type"] == kind)


def asked(cdp, *arguments):
    result = cdp("who", *arguments, "--json")
    assert result.exception is None, result.exception
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    "spelling",
    [
        " Ada.Byron@Shop.example ", "mailto:ada.byron@shop.example", "+44 1632 960001", "0044 1632 960001", "u-1001",
    ],
)  # fmt: skip
def test_anything_that_stands_for_her_finds_her(ada_and_ben, cdp, spelling, profile_of):
    assert asked(cdp, spelling)["profile_id"] == profile_of("ada")


def test_a_hash_a_node_and_a_profile_id_do_too(ada_and_ben, cdp, profile_of, sha):
    for asked_for in (sha(ADA[1]), f"node:{ada_and_ben.node(*ADA)}", profile_of("ada")):
        assert asked(cdp, asked_for)["profile_id"] == profile_of("ada")


def test_a_former_profile_id_leads_to_her_and_says_so(ada_and_ben, cdp, profile_of):
    document = asked(cdp, profile_of("old-ada"))
    assert document["profile_id"] == profile_of("ada")
    assert document["former_profile_id"] == profile_of("old-ada")
    assert "was merged or parted" in cdp("who", profile_of("old-ada")).stdout


def test_every_other_identifier_has_a_chain_with_its_records(ada_and_ben, cdp):
    document = asked(cdp, ADA[1])
    assert {chain["to"]["type"] for chain in document["chains"]} == {
        "user_id", "phone", "anonymous_id", "loyalty_number",
    }  # fmt: skip
    first, second = chain_to(document, "anonymous_id")["steps"]
    assert (first["source"], first["record_id"], first["evidence_count"]) == ("web_orders", "o-1", 3)
    assert (second["source"], second["record_id"], second["confidence"]) == ("web_events", "e-1", "loose")


def test_between_two_only_their_chain_is_told(ada_and_ben, cdp):
    document = asked(cdp, ADA_CARD[1], ADA_COOKIE[1])
    assert [len(chain["steps"]) for chain in document["chains"]] == [4]
    assert "History" not in cdp("who", ADA_CARD[1], ADA_COOKIE[1]).stdout


def test_probable_evidence_is_told_with_its_probability_and_used_last(ada_and_ben, cdp):
    ada_and_ben.likeness(ADA, ADA_COOKIE, 0.993)
    assert [step["rule"] for step in chain_to(asked(cdp, ADA[1]), "anonymous_id")["steps"]] == ["same_record"] * 2
    ada_and_ben.warehouse.execute(
        "delete from identity.identifier_pairs where right_type = 'anonymous_id' and tier < 100"
    )
    (step,) = chain_to(asked(cdp, ADA[1]), "anonymous_id")["steps"]
    assert (step["rule"], step["score"]) == ("probable_person", 0.993)


def test_a_decision_needs_no_record(ada_and_ben, cdp):
    ada_and_ben.evidence(ADA_CARD, ADA_COOKIE, records=(), decision="must_link")
    (step,) = asked(cdp, ADA_CARD[1], ADA_COOKIE[1])["chains"][0]["steps"]
    assert (step["rule"], step["source"], step["record_id"]) == ("must_link", "decision", None)
    assert step["observed_at"] is None, "the day of what records say is not that of the decision"


def test_withdrawn_evidence_is_not_told(ada_and_ben, cdp):
    ada_and_ben.warehouse.execute(
        "update identity.identifier_links set is_withdrawn = true where record_id = 'o-1' and source = 'web_orders'"
    )
    (step,) = chain_to(asked(cdp, ADA[1]), "user_id")["steps"]
    assert step["record_id"] == "o-2"


def test_refusals_have_a_reason_in_words(ada_and_ben, cdp):
    document = asked(cdp, ADA[1])
    assert document["refused_count"] == 2
    assert {row["because"] for row in document["refused"]} == {
        "seen with more than one user id: shared, so it joins nobody",
        "one profile would have too many of type user id",
    }


def test_history_tells_which_evidence_merged(ada_and_ben, cdp, profile_of):
    merge = next(row for row in asked(cdp, ADA[1])["history"] if row["cause"] == "merge")
    assert merge["from_profile_id"] == profile_of("old-ada")
    assert {merge["left"]["type"], merge["right"]["type"]} == {"email", "phone"}


def test_at_a_moment_an_identifier_was_elsewhere(ada_and_ben, cdp, profile_of, began):
    ada_and_ben.warehouse.execute(
        "update identity.profile_history set profile_id = ? where identifier_type = 'phone' and version = 1",
        [profile_of("old-ada")],
    )
    moments = [began - timedelta(days=1), began + timedelta(days=1), began + timedelta(days=3)]
    found = [asked(cdp, ADA_PHONE[1], "--at", f"{moment:%Y-%m-%d}")["at"]["profile_id"] for moment in moments]
    assert found == [None, profile_of("old-ada"), profile_of("ada")]


def test_before_the_first_build_is_not_before_she_was_seen(ada_and_ben, cdp, began):
    told = cdp("who", ADA[1], "--at", f"{began - timedelta(days=1):%Y-%m-%d}").stdout
    assert "in no profile yet (its records may be older" in told


def test_orders_come_last_so_that_many_hide_nothing(town, cdp):
    login, orders = ("user_id", "u-7"), [("order_id", f"order-{number:03}") for number in range(60)]
    town.person("buyer", login, ADA_COOKIE, *orders)
    for other in (ADA_COOKIE, *orders):
        town.evidence(login, other)
    text, told = cdp("who", login[1]).stdout, asked(cdp, login[1])
    assert [row["type"] for row in told["identifiers"][:2]] == ["user_id", "anonymous_id"]
    assert told["chains"][0]["to"]["type"] == "anonymous_id"
    assert "cookie" in text.split("Why they are one person")[0]


def test_two_people_are_told_what_was_refused_between_them(ada_and_ben, cdp):
    document = asked(cdp, ADA[1], BEN[1])
    assert (document["how"], len(document["refused"])) == ("between", 1)
    assert "too many of type user id" in cdp("who", ADA[1], BEN[1]).stdout


def test_else_over_which_shared_identifier_both_were_seen(ada_and_ben, cdp):
    ada_and_ben.warehouse.execute("delete from identity.blocked_links where reason = 'too_many_for_one_profile'")
    document = asked(cdp, ADA[1], BEN[1])
    assert document["how"] == "over_shared"
    assert {row["right"]["type"] for row in document["refused"]} == {"device_id"}


def test_else_that_no_evidence_links_them(ada_and_ben, cdp):
    ada_and_ben.warehouse.execute("delete from identity.blocked_links")
    assert asked(cdp, ADA[1], BEN[1])["because"] == "No evidence links them."


def test_else_that_limits_stand_between(ada_and_ben, cdp):
    ada_and_ben.warehouse.execute("delete from identity.blocked_links where reason = 'shared_identifier'")
    ada_and_ben.warehouse.execute(
        "update identity.blocked_links set right_profile_id = 'p_third' where right_type = 'phone'"
    )
    ada_and_ben.warehouse.execute("update identity.identifier_groups set component_id = 1")
    assert asked(cdp, ADA[1], BEN[1])["how"] == "same_surroundings"


def test_bridges_are_told_with_both_sides(ada_and_ben, cdp):
    sides = [{row["left_count"], row["right_count"]} for row in asked(cdp, ADA[1])["bridges"]]
    assert sides == [{2, 3}, {2, 3}, {1, 4}, {1, 4}]


def test_an_unknown_value_is_refused_in_one_line_without_repeating_it(ada_and_ben, cdp):
    for unknown in ("carl@nowhere.example", "+441632960999", "p_" + "0" * 20):
        error = cdp("who", unknown).exception
        assert isinstance(error, NotFound)
        assert unknown not in str(error)
        assert "\n" not in str(error)


def test_a_value_of_two_types_must_say_which(ada_and_ben, cdp, profile_of):
    ada_and_ben.person("twin", ("loyalty_number", "u-1001"))
    error = cdp("who", "u-1001").exception
    assert "say which with --type, one of loyalty_number, user_id" in str(error)
    assert asked(cdp, "u-1001", "--type", "loyalty_number")["profile_id"] == profile_of("twin")


def test_a_placeholder_belongs_to_nobody(ada_and_ben, cdp):
    ada_and_ben.blocked("email", "test@test.example")
    assert "placeholder" in str(cdp("who", "test@test.example").exception)
    assert asked(cdp, ADA[1], "test@test.example")["how"] == "blocked_value"


def test_tables_of_an_older_version_are_refused(ada_and_ben, cdp):
    ada_and_ben.warehouse.execute("alter table identity.profile_identifiers drop column group_id")
    assert isinstance(cdp("who", ADA[1]).exception, NotBuilt)


def test_a_value_is_never_sql(ada_and_ben, cdp):
    assert isinstance(cdp("who", "' or 1=1 --").exception, NotFound)


def test_nothing_personal_is_shown_unless_asked_for(ada_and_ben, cdp, tmp_path):
    page, picture = tmp_path / "ada.html", tmp_path / "ada.svg"
    text = cdp("who", ADA[1], "--html", page, "--svg", picture).output
    text += cdp("who", ADA[1], BEN[1]).output + cdp("who", ADA[1], "--json").output
    for told in (text, page.read_text(), picture.read_text()):
        assert [value for value in values() if value in told] == []


def test_a_record_named_by_an_identifier_is_masked_too(ada_and_ben, cdp):
    ada_and_ben.evidence(ADA_CARD, ADA_LOGIN, source="payments", records=(f"ch_{ADA_CARD[1].lower()}_2",))
    (step,) = asked(cdp, ADA_LOGIN[1], ADA_CARD[1])["chains"][0]["steps"]
    assert step["record_id"] == "ch•••_2"
    assert f"ch_{ADA_CARD[1].lower()}_2" in cdp("who", ADA_LOGIN[1], ADA_CARD[1], "--show").stdout


def test_values_are_shown_to_who_asks_for_them(ada_and_ben, cdp):
    text = cdp("who", ADA[1], "--show").stdout
    for _, value in (ADA, ADA_LOGIN, ADA_PHONE, ADA_COOKIE, ADA_CARD, BEN_LOGIN, KIOSK):
        assert value in text
