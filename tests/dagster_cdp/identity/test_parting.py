"""What a rebuild after a decision changed for the people it is about."""

import json

import dagster as dg
import pytest
from people import ADA, ADA_CARD, ADA_COOKIE, ADA_LOGIN, ADA_PHONE, BEN, values

from dagster_cdp.identity.parting import compare, stand
from dagster_cdp.identity.rebuilding import NotRebuilt

BY = ("--owner", "support team", "--reason", "two people with one card")


class Shop:
    """Events and traits of Ada and Ben; `part` is what a build after a split would do."""

    def __init__(self, town, profile_of):
        self.warehouse, self.profile_of = town.warehouse, profile_of
        for statement in (
            "create schema profiles",
            "create table profiles.profile_events (event_id varchar, profile_id varchar, _node_id bigint)",
            "create table profiles.profiles (profile_id varchar, email varchar, identifier_count bigint, _batch int)",
            "create table profiles.traits (profile_id varchar, order_count bigint)",
        ):
            self.warehouse.execute(statement)
        cookie = town.node(*ADA_COOKIE)
        for event, name, node in (("e1", "ada", 1), ("e2", "ada", cookie), ("e3", "ada", cookie), ("e4", "ben", 1)):
            row = [event, profile_of(name), node]
            self.warehouse.execute("insert into profiles.profile_events values (?, ?, ?)", row)
        for name, email, orders in (("ada", ADA[1], 5), ("ben", BEN[1], 2)):
            self.warehouse.execute("insert into profiles.profiles values (?, ?, 5, 1)", [profile_of(name), email])
            self.warehouse.execute("insert into profiles.traits values (?, ?)", [profile_of(name), orders])
        self.cookie = cookie

    def part(self):
        new = self.profile_of("new")
        for statement, parameters in (
            ("update identity.profile_identifiers set profile_id = ? where node_id = ?", [new, self.cookie]),
            ("update profiles.profile_events set profile_id = ? where _node_id = ?", [new, self.cookie]),
            ("update profiles.profiles set identifier_count = 4 where profile_id = ?", [self.profile_of("ada")]),
            ("update profiles.profiles set _batch = 2", []),
            ("insert into profiles.profiles values (?, null, 1, 2)", [new]),
        ):
            self.warehouse.execute(statement, parameters)


@pytest.fixture
def shop(ada_and_ben, profile_of):
    return Shop(ada_and_ben, profile_of)


def test_a_split_says_where_identifiers_events_and_traits_went(ada_and_ben, shop, profile_of):
    before = stand(shop.warehouse, [ada_and_ben.node(*ADA_LOGIN), shop.cookie])
    shop.part()
    found = compare(shop.warehouse, before, stand(shop.warehouse, list(before.profiles)))
    assert found.former == [profile_of("ada")]
    assert {name: len(labels) for name, labels in found.identifiers.items()} == {
        profile_of("ada"): 4,
        profile_of("new"): 1,
    }
    assert found.identifiers[profile_of("new")] == [ADA_COOKIE]
    assert (found.events_moved, found.events_kept) == (2, 1)
    assert found.traits[profile_of("ada")] == ["identifier_count"]


def test_without_a_change_nothing_is_said_to_have_moved(ada_and_ben, shop):
    before = stand(shop.warehouse, [ada_and_ben.node(*ADA_LOGIN)])
    found = compare(shop.warehouse, before, before)
    assert (found.events_moved, found.events_kept) == (0, 3)
    assert not any(found.traits.values())


def test_the_command_rebuilds_without_sending_and_tells_it(ada_and_ben, shop, seed, cdp, monkeypatch):
    built = []
    line = pytest.importorskip("dagster_cdp.line")

    def run_line(selection):
        built.append(selection)
        shop.part()
        return line.LineReport("run", True, {}, {}, {}, {})

    monkeypatch.setattr(line, "run_line", run_line)
    result = cdp("identity", "split", ADA[1], ADA_COOKIE[1], *BY, "--rebuild")
    assert result.exception is None, result.exception
    assert built == ["group:identity+ and not group:activation"]
    assert "2 moved to another profile, 1 stayed" in result.stdout
    assert "1 identifier: cookie c-•••77" in result.stdout
    assert [value for value in values() if value in result.output] == []


def test_deciding_and_withdrawing_rebuild_too(ada_and_ben, shop, seed, cdp, monkeypatch):
    built = []
    line = pytest.importorskip("dagster_cdp.line")

    def run_line(selection):
        built.append(selection)
        return line.LineReport("run", True, {}, {}, {}, {})

    monkeypatch.setattr(line, "run_line", run_line)
    item = json.loads(cdp("identity", "review", "--json").stdout)[0]
    decided = cdp("identity", "decide", item["item_id"], "must-link", *BY, "--rebuild")
    (decision,) = json.loads(cdp("identity", "decisions", "--json").stdout)
    withdrawn = cdp("identity", "withdraw", decision["decision_id"], "--rebuild")
    for result in (decided, withdrawn):
        assert result.exception is None, result.exception
        assert "events: 0 moved to another profile" in result.stdout
    assert len(built) == 2


def test_a_build_that_fails_keeps_the_decision_and_says_so(ada_and_ben, shop, seed, cdp, monkeypatch):
    line = pytest.importorskip("dagster_cdp.line")
    failed = line.LineReport("run", False, {}, {}, {}, {}, failures=["identity: could not build"])
    monkeypatch.setattr(line, "run_line", lambda _: failed)
    result = cdp("identity", "link", ADA_PHONE[1], BEN[1], *BY, "--rebuild")
    assert isinstance(result.exception, NotRebuilt)
    assert "identity: could not build" in str(result.exception)
    assert len(json.loads(cdp("identity", "decisions", "--json").stdout)) == 1


def test_the_rebuild_reaches_the_audiences_and_sends_nothing():
    from dagster_cdp.definitions import definitions
    from dagster_cdp.identity.parting import REBUILD
    from dagster_cdp.line import _chosen

    line = definitions()
    chosen = _chosen(REBUILD, line).resolve(line.resolve_asset_graph())
    stages = {key.path[0] for key in chosen}
    assert stages - {"ops"} == {"identity", "profiles", "audiences"}
    assert dg.AssetKey(["identity", "identity_decisions"]) in chosen


def test_a_card_alone_is_not_everything(ada_and_ben, shop):
    """Whoever is in a profile with any of the nodes counts, nobody else."""
    assert len(stand(shop.warehouse, [ada_and_ben.node(*ADA_CARD)]).profiles) == 5
