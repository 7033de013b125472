"""An API said in YAML: the README's example against a club that answers as declared."""

import json
import re
from pathlib import Path

import pytest
import yaml
from declared_api import declared, sync_of
from vendor_desk import desk_of

from reverse_etl import destination as contract
from reverse_etl import destinations
from reverse_etl.deliver import Delivery
from reverse_etl.destination import DestinationRefused, Outcome, load_destination
from reverse_etl.destinations.http import Destination
from reverse_etl.drift import drift
from reverse_etl.mapping import FieldRule
from reverse_etl.run import run_sync
from reverse_etl.sandbox.vendor import Answer
from reverse_etl.sync import BadDeclaration, load_sync
from reverse_etl.testing import check, sample

README = (Path(destinations.__file__).parent / "README.md").read_text(encoding="utf-8")
CLUB, TO_CLUB = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
TOKEN = "a-synthetic-token"


class Club:
    """The API of the README."""

    name = "club"

    def handle(self, request, store):
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer(401, {"error": {"code": "token_expired"}})
        _, _, _, name, *_ = request.path.split("/")
        if name != "gold":
            return Answer(400, {"error": {"code": "no_such_list"}})
        if request.method == "GET":
            start, everybody = int(request.query.get("after", 0)), list(store.all("members/gold"))
            page = [{"address": address.upper()} for address in everybody[start : start + 2]]
            return Answer(200, {"members": page, "next": start + 2 if len(everybody) > start + 2 else None})
        rows = request.json()["members"]
        if wrong := [place for place, row in enumerate(rows) if "\t" in row["address"]]:
            return Answer(422, {"error": {"code": "invalid", "rows": wrong}})
        failed = []
        for row in rows:
            if request.path.endswith("/remove"):
                store.drop("members/gold", row["address"])
            elif row["salutation"] == "Dear Poison":
                failed.append({"ref": row["ref"], "why": "salutation_refused"})
            else:
                store.put("members/gold", row["address"], row)
        store.put("keys", request.headers["idempotency-key"], len(rows))
        return Answer(200, {"ok": True, "failed": failed})


@pytest.fixture
def registered(tmp_path, monkeypatch):
    """The README's files where the registry finds them."""
    folder = tmp_path / "destinations"
    folder.mkdir()
    (folder / re.match(r"# destinations/(\S+)", CLUB)[1]).write_text(CLUB)
    monkeypatch.setattr(contract, "DESTINATIONS", folder)
    file = tmp_path / re.match(r"# syncs/(\S+)", TO_CLUB)[1]
    file.write_text(TO_CLUB)
    return load_sync(file)


@pytest.fixture
def desk(cdp_home, monkeypatch):
    with desk_of({"club": Club()}) as desk:
        monkeypatch.setenv("LOYALTY_CLUB_URL", desk.url("club"))
        monkeypatch.setenv("LOYALTY_CLUB_TOKEN", TOKEN)
        monkeypatch.setenv("CDP_PRIVATE_NETWORKS", "127.0.0.0/8")
        yield desk


def deliver(destination, changes):
    with destination.connect() as transport:
        delivery = Delivery(destination, transport, float("inf"), sleep=lambda _: None)
        return delivery.deliver(changes), delivery


def test_it_conforms(registered, desk):
    holds = lambda change: change.identifiers["email"] in desk.held("club", "members/gold")  # noqa: E731
    check(load_destination(registered), holds=holds, poison={"first_name": "Poison"})


def test_a_row_is_what_the_template_says(registered, desk):
    destination = load_destination(registered)
    deliver(destination, sample(destination, people=(1,), first_name="Ann", points="12", city=None))

    assert desk.held("club", "members/gold") == {
        "person1@example.com": {
            "ref": "add-1-3",
            "address": "person1@example.com",
            "salutation": "Dear Ann",
            "points": 12,
        }
    }


def test_rows_that_a_refusal_blames_are_rejected_and_the_others_sent_again(registered, desk):
    destination = load_destination(registered)
    changes = sample(destination, people=range(20))
    changes[7].identifiers["email"] = "a\tb"
    receipts, delivery = deliver(destination, changes)

    assert [r.outcome for r in receipts].count(Outcome.DELIVERED) == 19
    assert (receipts[7].outcome, receipts[7].code) == (Outcome.REJECTED, "http_422")
    assert delivery.requests == 2


def test_taken_but_never_answered_is_sent_again_under_the_same_key(registered, desk):
    destination = load_destination(registered)
    desk.plant("drop_after_commit", vendor="club")
    receipts, delivery = deliver(destination, sample(destination))

    assert {r.outcome for r in receipts} == {Outcome.DELIVERED}
    assert (delivery.requests, len(desk.held("club", "keys"))) == (2, 1)


def test_a_code_in_the_body_is_for_a_person(registered, desk, monkeypatch):
    other = load_destination(registered.model_copy(update={"options": {"list": "silver"}}))
    assert deliver(other, sample(other))[1].refusal == "config_http_400"

    monkeypatch.setenv("LOYALTY_CLUB_TOKEN", "old")
    destination = load_destination(registered)
    assert deliver(destination, sample(destination))[1].refusal == "auth_http_401"


def test_nothing_personal_is_in_addresses_or_headers(registered, desk):
    destination = load_destination(registered)
    request = destination.request(sample(destination, first_name="Ann"))

    assert request.path == "/v1/lists/gold/members"
    assert "person1" not in str(request.headers)


def test_a_whole_run_and_its_drift(registered, desk, town, warehouse):
    fields = {"email": "email", "first_name": "first_name", "amount": "points"}
    registered = registered.model_copy(update={"fields": fields})
    town.audience(["ann", "bob"])
    assert run_sync(warehouse, registered, gate="ignored").state == "succeeded"
    town.audience(["ann"])
    run_sync(warehouse, registered, gate="ignored", approve=True)

    assert list(desk.held("club", "members/gold")) == ["ann@example.com"]
    assert not drift(warehouse, registered, load_destination(registered)).differs
    town.audience(["ann", "bob", "cem", "dan", "eve"])
    run_sync(warehouse, registered, gate="ignored")
    with desk.store("club") as store:
        store.drop("members/gold", "cem@example.com")

    found = drift(warehouse, registered, load_destination(registered))
    assert (found.theirs, found.missing, found.unexpected) == (4, 1, 0)
    assert [r["path"] for r in desk.log("club")][-2:] == ["/club/v1/lists/gold/members"] * 2


def test_without_a_secret_nothing_is_sent(registered, desk, monkeypatch):
    monkeypatch.delenv("LOYALTY_CLUB_TOKEN")

    with pytest.raises(DestinationRefused, match="set LOYALTY_CLUB_TOKEN"), load_destination(registered).connect():
        pass


def test_a_private_address_is_refused(registered, desk, monkeypatch):
    monkeypatch.delenv("CDP_PRIVATE_NETWORKS")

    with pytest.raises(DestinationRefused, match="not a public address"), load_destination(registered).connect():
        pass


def test_a_name_nobody_registered_says_what_to_add(registered):
    with pytest.raises(BadDeclaration, match=r"add destinations/other\.py or other\.yml"):
        load_destination(registered.model_copy(update={"destination": "other"}))


@pytest.mark.parametrize(
    ("update", "reason"),
    [
        ({"options": {}}, "options.list: loyalty_club takes list"),
        ({"options": {"list": "gold", "lst": "x"}}, "options.lst"),
        ({"options": {"list": ["a"]}}, "words or whole numbers"),
        ({"fields": {"email": "email", "first_name": "first_name"}}, "needs a column mapped to points"),
        ({"fields": {"email": "email", "points": "points"}}, "needs a column mapped to first_name"),
        ({"field_rules": {"first_name": FieldRule(set_once=True)}}, "needs first_name each time: not set_once"),
    ],
)
def test_a_sync_that_does_not_fit_is_refused_in_one_line(registered, update, reason):
    with pytest.raises(BadDeclaration, match=re.escape(reason)) as bad:
        load_destination(registered.model_copy(update={"field_rules": {}, **update}))
    assert "\n" not in str(bad.value)


def test_the_options_of_a_sync_to_http_are_the_same_declaration():
    inline = {key: value for key, value in yaml.safe_load(CLUB).items() if key != "options"}
    text = json.dumps(inline).replace("{options.list}", "gold")
    destination = Destination(sync_of(json.loads(text), email="email", first_name="first_name", points="points"))

    assert destination.request(sample(destination)).path == "/v1/lists/gold/members"
    assert destination.spec.requests_per_second == 5


def test_additions_and_changes_may_be_two_requests():
    each = {"rows": {"each": "{key}"}}
    destination = Destination(
        sync_of(
            declared(
                operations={
                    "add": {"path": "/add", "body": each},
                    "change": {"path": "/change", "method": "PATCH", "body": each},
                    "remove": {"path": "/out", "body": each},
                }
            )
        )
    )
    add, change, remove = (sample(destination, operation, (1,)) for operation in ("add", "change", "remove"))

    assert len({destination.spec.shape(rows[0]) for rows in (add, change, remove)}) == 3
    assert [(r.method, r.path) for r in map(destination.request, (add, change, remove))] == [
        ("POST", "/add"), ("PATCH", "/change"), ("POST", "/out"),
    ]  # fmt: skip
