"""The review queue, and how a person settles it."""

import json

import pytest
from people import ADA, ADA_CARD, ADA_LOGIN, ADA_PHONE, BEN, BEN_LOGIN, KIOSK, values

from dagster_cdp.identity.decisions import DecisionRefused, read_decisions
from dagster_cdp.identity.finding import NotFound
from dagster_cdp.identity.review import item_id

BY = ("--owner", "support team", "--reason", "the shop called both")


def queue(cdp, *arguments):
    result = cdp("identity", "review", "--json", *arguments)
    assert result.exception is None, result.exception
    return json.loads(result.stdout)


def dumbbell(town, name, left, right):
    """One profile of two circles that a single tie holds together."""
    town.person(name, *left, *right)
    for circle in (left, right):
        for one, other in zip(circle, circle[1:] + circle[:1], strict=True):
            town.evidence(one, other)
    town.evidence(left[0], right[0], records=("r-1", "r-2"))


def ends(item):
    return {item["left"]["type"], item["right"]["type"]}


def test_refused_and_shared_links_are_asked_about(ada_and_ben, seed, cdp):
    refused, shared = queue(cdp)
    assert (refused["kind"], ends(refused), refused["evidence_count"]) == ("refused", {"user_id", "phone"}, 2)
    assert (shared["kind"], ends(shared)) == ("shared", {"user_id", "device_id"})
    assert "seen with 3 identifiers of type user id" in shared["because"]


def test_the_most_evidence_comes_first_and_the_limit_is_of_each_kind(ada_and_ben, seed, cdp):
    ada_and_ben.refusal(ADA, BEN_LOGIN, links=9, between=("ada", "ben"))
    first, _ = queue(cdp, "--limit", 1)
    assert (ends(first), first["evidence_count"]) == ({"email", "user_id"}, 9)


def test_what_is_just_over_the_limit_comes_first(ada_and_ben, seed, cdp):
    airport = ("device_id", "airport-1")
    ada_and_ben.person("airport", airport, shared="user_id")
    ada_and_ben.refusal(ADA_LOGIN, airport, reason="shared_identifier", links=50, between=("ada", "airport"))
    ada_and_ben.warehouse.execute(
        "update identity.identifier_groups set neighbour_count = 900 where node_id = ?", [ada_and_ben.node(*airport)]
    )
    nodes = [item["right"]["node_id"] for item in queue(cdp) if item["kind"] == "shared"]
    assert nodes == [ada_and_ben.node(*KIOSK), ada_and_ben.node(*airport)]


def test_uncertain_matches_are_asked_about_when_there_are_any(ada_and_ben, seed, cdp):
    ada_and_ben.warehouse.execute(
        "create table identity.match_review"
        " (left_node_id bigint, right_node_id bigint, score decimal(9, 6), rule varchar)"
    )
    assert "probable" not in {item["kind"] for item in queue(cdp)}
    pairs = [(ADA, BEN, 0.93), (ADA, ADA_PHONE, 0.95)]  # those two are one person already
    for one, other, score in pairs:
        nodes = sorted([ada_and_ben.node(*one), ada_and_ben.node(*other)])
        ada_and_ben.warehouse.execute("insert into identity.match_review values (?, ?, ?, 'name')", [*nodes, score])
    assert [item["score"] for item in queue(cdp) if item["kind"] == "probable"] == [0.93]


def test_a_large_profile_is_asked_about_where_it_parts_most_evenly(town, seed, cdp):
    left = [("anonymous_id", f"left-{place}") for place in range(8)]
    right = [("anonymous_id", f"right-{place}") for place in range(6)]
    dumbbell(town, "both", left, right)
    (item,) = queue(cdp)
    assert {item["left"]["node_id"], item["right"]["node_id"]} == {town.node(*left[0]), town.node(*right[0])}
    result = json.loads(cdp("identity", "bridges", "--larger-than", 5, "--json").stdout)
    assert [bridge["left_count"] + bridge["right_count"] for bridge in result[0]["bridges"]] == [14]
    assert "8 | 6" in (text := cdp("identity", "bridges").stdout) or "6 | 8" in text
    assert cdp("identity", "decide", item["item_id"], "cannot-link", *BY).exit_code == 0
    assert queue(cdp) == []


def test_larger_profiles_without_a_bridge_hide_none(town, seed, cdp):
    for place in range(12):
        ring = [("order_id", f"{place}-{one}") for one in range(20)]
        town.person(f"buyer-{place}", *ring)
        for one, other in zip(ring, ring[1:] + ring[:1], strict=True):
            town.evidence(one, other)
    left, right = ([("anonymous_id", f"{side}-{one}") for one in range(6)] for side in ("left", "right"))
    dumbbell(town, "both", left, right)
    assert [item["kind"] for item in queue(cdp)] == ["bridge"]
    (found,) = json.loads(cdp("identity", "bridges", "--json").stdout)
    assert found["node_count"] == 12


def test_it_says_how_many_questions_wait(ada_and_ben, seed, cdp):
    ada_and_ben.refusal(ADA, BEN_LOGIN, links=9, between=("ada", "ben"))
    assert "refused 1 of 2, shared 1 of 1, bridge 0" in cdp("identity", "review", "--limit", 1).stdout
    cdp("identity", "decide", queue(cdp)[0]["item_id"], "cannot-link", *BY)
    assert "refused 1 of 1, shared 1 of 1" in cdp("identity", "review", "--limit", 1).stdout


def test_what_a_longer_list_asks_can_be_decided_too(town, seed, cdp):
    for place in range(52):
        left, right = ([("anonymous_id", f"{place}-{side}-{one}") for one in range(6)] for side in ("left", "right"))
        dumbbell(town, f"both-{place}", left, right)
    items = queue(cdp, "--limit", 60)
    assert len(items) == 52
    assert cdp("identity", "decide", items[-1]["item_id"], "cannot-link", *BY).exit_code == 0


def test_an_item_has_the_same_id_on_every_build(ada_and_ben, seed, cdp):
    refused = queue(cdp)[0]
    assert refused["item_id"] == item_id("refused", refused["left"]["node_id"], refused["right"]["node_id"])


@pytest.mark.parametrize("verdict", ["must-link", "cannot-link"])
def test_deciding_writes_node_ids_and_leaves_the_queue(ada_and_ben, seed, cdp, verdict):
    item = queue(cdp)[0]
    result = cdp("identity", "decide", item["item_id"], verdict, *BY, "--expires", "2099-01-31")
    assert result.exit_code == 0
    assert "cdp run --select 'group:identity+'" in result.stdout
    (decision,) = read_decisions()
    assert decision.pair == (item["left"]["node_id"], item["right"]["node_id"])
    assert (decision.owner, str(decision.expires_on)) == ("support team", "2099-01-31")
    assert item["item_id"] not in {other["item_id"] for other in queue(cdp)}


def test_a_decision_that_is_withdrawn_is_asked_about_again(ada_and_ben, seed, cdp):
    item = queue(cdp)[0]
    cdp("identity", "decide", item["item_id"], "must-link", *BY)
    (row,) = json.loads(cdp("identity", "decisions", "--json").stdout)
    assert row["decision_id"] in cdp("identity", "decisions").stdout
    result = cdp("identity", "withdraw", row["decision_id"])
    assert result.exception is None, result.exception
    assert "ended in dbt_project/seeds/identity_decisions.csv" in result.stdout
    assert "cdp run --select 'group:identity+'" in result.stdout
    assert item["item_id"] in {other["item_id"] for other in queue(cdp)}
    assert cdp("identity", "decide", item["item_id"], "cannot-link", *BY).exit_code == 0
    assert isinstance(cdp("identity", "withdraw", row["decision_id"]).exception, DecisionRefused)


def test_an_item_that_is_gone_is_refused(ada_and_ben, seed, cdp):
    assert isinstance(cdp("identity", "decide", "0123456789", "must-link", *BY).exception, NotFound)


def test_linking_several_links_the_first_with_each(ada_and_ben, seed, cdp):
    result = cdp("identity", "link", ADA[1], BEN[1], KIOSK[1], *BY)
    assert "become one, unless a limit of the rules forbids it" in result.stdout
    assert len(read_decisions()) == 2


def test_splitting_one_person_says_that_she_is_parted(ada_and_ben, seed, cdp, profile_of):
    result = cdp("identity", "split", ADA[1], ADA_CARD[1], *BY)
    assert f"{profile_of('ada')} is parted" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("split", ADA[1], "unknown@shop.example"), NotFound),
        (("split", "p_" + "0" * 20, ADA[1]), NotFound),
        (("split", ADA[1], "test@test.example"), DecisionRefused),
        (("split", ADA[1], ADA[1]), DecisionRefused),
    ],
)
def test_what_is_no_identifier_of_a_person_is_refused(ada_and_ben, seed, cdp, arguments, error):
    ada_and_ben.blocked("email", "test@test.example")
    before = seed.read_bytes()
    result = cdp("identity", *arguments, *BY)
    assert isinstance(result.exception, error)
    assert arguments[1] not in str(result.exception) or arguments[1] == ADA[1]
    assert seed.read_bytes() == before


def test_nobody_decides_without_a_name(ada_and_ben, seed, cdp):
    assert cdp("identity", "split", ADA[1], BEN[1], "--reason", "x").exit_code == 2
    assert isinstance(
        cdp("identity", "split", ADA[1], BEN[1], "--owner", "", "--reason", "x").exception, DecisionRefused
    )


def test_the_list_says_what_has_expired(ada_and_ben, seed, cdp, monkeypatch):
    monkeypatch.setenv("CDP_NOW", "2026-03-02T09:00:00")
    cdp("identity", "split", ADA[1], BEN[1], *BY, "--expires", "2026-03-31")
    assert "until 2026-03-31" in cdp("identity", "decisions").stdout
    monkeypatch.setenv("CDP_NOW", "2026-04-01T09:00:00")
    assert "expired 2026-03-31" in cdp("identity", "decisions").stdout
    (row,) = json.loads(cdp("identity", "decisions", "--json").stdout)
    assert row["is_active"] is False


def test_nothing_personal_is_written_or_shown(ada_and_ben, seed, cdp):
    told = cdp("identity", "review").output + cdp("identity", "bridges", "--larger-than", 1).output
    told += cdp("identity", "link", ADA[1], BEN[1], *BY).output + cdp("identity", "decisions").output
    told += seed.read_text()
    assert [value for value in values() if value in told] == []
