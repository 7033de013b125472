"""Meta Custom Audiences against a server that refuses what Meta refuses."""

import json

import pytest
from ad_people import DONE, MARY, MARY_EMAIL, MARY_META, change, changes, deliver, listened, spoilt, sync
from contact_line import account_at
from meta_audience import AUDIENCE, graph, members, meta

from reverse_etl.destination import DestinationRefused, Response
from reverse_etl.destinations.meta_audiences import KEYS, Destination
from reverse_etl.sandbox.vendors.meta import key_of
from reverse_etl.sync import BadDeclaration
from reverse_etl.testing import check


@pytest.fixture
def server(desk, monkeypatch):
    account_at(desk, "meta", monkeypatch)
    return desk


def test_it_conforms(server):
    check(
        meta("email", "external_id"),
        holds=lambda change: key_of({KEYS[n]: v for n, v in change.identifiers.items()}) in members(server),
        poison={"email": "no-hash"},
    )


def test_a_row_is_its_hashes_under_the_keys_of_meta():
    request = meta().request([change(meta(), MARY), change(meta(), {"external_id": "u2"})])

    assert (request.method, request.path) == ("POST", "/238000001/users")
    assert json.loads(request.body) == {
        "payload": {
            "schema": ["EXTERN_ID", "EMAIL", "PHONE", "LN", "FN", "ZIP", "COUNTRY"],
            "data": [
                ["", *(MARY_META[name] for name in ("email", "phone", "last_name", "first_name", "zip", "country"))],
                ["u2", "", "", "", "", "", ""],
            ],
            "is_raw": False,
        }
    }


def test_a_removal_says_exactly_what_was_added():
    added, removed = (meta().request([change(meta(), MARY, operation)]) for operation in ("add", "remove"))

    assert (removed.method, removed.path, removed.body) == ("DELETE", added.path, added.body)


def test_values_and_limited_use_go_with_additions_only():
    destination = meta("email", "value", value_based=True, limited_data_use="california")
    row = change(destination, {"email": MARY["email"], "value": 12.5})

    added = json.loads(destination.request([row]).body)["payload"]
    removed = json.loads(destination.request([change(destination, MARY | {"value": 1}, "remove")]).body)["payload"]

    assert added["schema"][:2] == ["EMAIL", "LOOKALIKE_VALUE"]
    assert added["data"] == [[MARY_EMAIL, 12.5, ["LDU"], 1, 1000]]
    assert removed["schema"] == ["EMAIL", "PHONE", "LN", "FN", "ZIP", "COUNTRY"]


def test_who_is_added_is_there_who_is_removed_is_gone(server):
    destination = meta()
    rows = [change(destination, MARY), *changes(destination, [1, 2])]

    assert deliver(destination, rows)[0] == [DONE] * 3
    assert deliver(destination, rows)[0] == [DONE] * 3
    assert len(members(server)) == 3
    leaving = [change(destination, MARY, "remove"), *changes(destination, [2, 99], "remove")]
    assert deliver(destination, leaving)[0] == [DONE] * 3
    assert [row["EMAIL"] for row in members(server).values()] == [changes(destination, [1])[0].identifiers["email"]]


def test_nothing_readable_leaves(server):
    destination = meta()
    with listened(destination) as sent:
        deliver(destination, [change(destination, MARY, operation) for operation in ("add", "remove")][:1])
        deliver(destination, [change(destination, MARY, "remove")])

    said = b"".join(request.path.encode() + request.body for request in sent).lower()
    assert len(sent) == 2
    assert not any(word in said for word in (b"mary", b"example.com", b"987", b"brien", b"94107", b'"us"'))


def test_meta_points_at_wrong_rows_among_others(server):
    destination = meta()
    rows = changes(destination, range(20))
    rows[7] = spoilt(rows[7], email="no-hash")

    outcomes, _ = deliver(destination, rows)

    assert outcomes[7][0] == "rejected"
    assert outcomes[:7] + outcomes[8:] == [DONE] * 19
    assert len(members(server)) == 19


@pytest.mark.parametrize("action", ["500", "503", "reset", "timeout", "drop_after_commit", "429"])
def test_what_may_have_been_applied_is_sent_again(server, action):
    server.plant(action, vendor="meta")

    outcomes, delivery = deliver(meta(), changes(meta(), [1, 2, 3]))

    assert outcomes == [DONE] * 3
    assert delivery.requests == 2
    assert len(members(server)) == 3


def test_a_wait_in_minutes_of_a_header_of_its_own_is_kept(server):
    server.plant("429", seconds=90, vendor="meta")
    destination, waits = meta(), []
    with destination.connect() as send:
        waits.append(send(destination.request(changes(destination, [1]))).headers.get("retry-after"))
        waits.append(send(destination.request(changes(destination, [1]))).headers.get("retry-after"))

    assert waits == ["90", None]


def test_removals_that_leave_too_few_stay_due(server):
    destination = meta(audience="238000100")
    deliver(destination, changes(destination, range(101)))

    assert deliver(destination, changes(destination, [0], "remove"))[0] == [DONE]
    assert deliver(destination, changes(destination, [1, 2], "remove"))[0] == [("deferred", "low_audience_size")] * 2
    assert len(members(server, "238000100")) == 100


@pytest.mark.parametrize("audience", ["238000404", "238000471"])
def test_a_wrong_audience_blames_nobody(server, audience):
    outcomes, delivery = deliver(meta(audience=audience), changes(meta(), range(3)))

    assert [outcome for outcome, _ in outcomes] == ["deferred"] * 3
    assert delivery.requests == 1
    assert delivery.refusal.startswith("config")


def test_a_wrong_token_pauses(server, monkeypatch):
    monkeypatch.setenv("META_ACCESS_TOKEN", "expired")

    outcomes, delivery = deliver(meta(), changes(meta(), [1]))

    assert outcomes == [("deferred", "http_400")]
    assert delivery.refusal.startswith("auth")


def test_the_app_proves_that_it_knows_its_secret(server, monkeypatch):
    monkeypatch.setenv("META_APP_SECRET", "sandbox_app")
    assert deliver(meta(), changes(meta(), [1]))[0] == [DONE]
    monkeypatch.setenv("META_APP_SECRET", "another")
    assert deliver(meta(), changes(meta(), [1]))[1].refusal.startswith("config")


def test_ten_thousand_at_once_and_no_more(server):
    with pytest.raises(BadDeclaration, match=r"options\.batch_rows"):
        meta(batch_rows=10_001)
    row = ["a" * 64]
    body = {"payload": {"schema": ["EMAIL"], "data": [row] * 10_001}}
    assert graph(server, "POST", f"/{AUDIENCE}/users", body).status_code == 400
    body["payload"]["data"].pop()
    assert graph(server, "POST", f"/{AUDIENCE}/users", body).json()["num_received"] == 10_000


def test_size_is_read_back(server):
    destination = meta()
    deliver(destination, changes(destination, range(150)))
    with destination.connect() as send:
        assert destination.size(send(destination.read_back())) == 150
    assert destination.size(Response(200, b'{"approximate_count_lower_bound": -1}')) is None


def test_what_is_missing_is_said(monkeypatch):
    monkeypatch.delenv("META_ACCESS_TOKEN", raising=False)
    with pytest.raises(DestinationRefused, match="set META_ACCESS_TOKEN"), meta().connect():
        pass
    monkeypatch.setenv("META_ACCESS_TOKEN", "x")
    monkeypatch.setenv("META_URL", "http://graph.example")
    with pytest.raises(DestinationRefused, match="META_URL"), meta().connect():
        pass
    for options in (
        {},
        {"audience_id": "act_1"},
        {"audience_id": "1", "colour": "red"},
        {"audience_id": "1", "value_based": True},
    ):
        with pytest.raises(BadDeclaration, match="vip_to_meta_audiences: options"):
            Destination(sync("meta_audiences", "email", options=options))


def test_secrets_may_stand_in_a_file(server, monkeypatch, tmp_path):
    monkeypatch.delenv("META_ACCESS_TOKEN")
    file = tmp_path / "secrets.env"
    file.write_text("META_ACCESS_TOKEN=sandbox\nOTHER=1\n")
    monkeypatch.setenv("CDP_SECRETS", str(file))

    assert deliver(meta(), changes(meta(), [1]))[0] == [DONE]
