"""Meta Custom Audiences against a server that refuses what Meta refuses."""

import json

import httpx
import pytest
from ad_people import MARY, MARY_EMAIL, MARY_META, change, changes, deliver, listened, person, spoilt, sync

from reverse_etl.apis.meta import classify_upload as classify
from reverse_etl.destination import DestinationRefused, Outcome, Response, Verdict
from reverse_etl.destinations.meta_audiences import KEYS, Destination
from reverse_etl.sandbox.vendors.meta import key_of
from reverse_etl.sync import BadDeclaration
from reverse_etl.testing import check

NAMES = ("email", "phone", "first_name", "last_name", "zip", "country", "external_id")
AUDIENCE = "238000001"
DONE = ("delivered", "")


def meta(*names, audience=AUDIENCE, **options):
    return Destination(sync("meta_audiences", *(names or NAMES), options={"audience_id": audience, **options}))


@pytest.fixture
def server(desk, monkeypatch):
    monkeypatch.setenv("META_URL", f"{desk.url('meta')}/v25.0")
    monkeypatch.setenv("META_ACCESS_TOKEN", "sandbox")
    return desk


def members(server, audience=AUDIENCE):
    return server.held("meta", f"members/{audience}")


def graph(server, method, path, body=None):
    url, headers = f"{server.url('meta')}/v25.0{path}", {"authorization": "Bearer sandbox"}
    return httpx.request(method, url, json=body, headers=headers)


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


def test_samples_are_read_and_rows_without_one_are_left_to_splitting():
    destination = meta()
    rows = [spoilt(row, email=f"bad-{n}") for n, row in enumerate(changes(destination, range(3)))]
    said = {"num_received": 3, "num_invalid_entries": 2, "invalid_entry_samples": {"bad-1": "Invalid value"}}
    response = Response(200, json.dumps(said).encode())

    assert classify(response) is Verdict.REFUSED
    assert destination.pointer(rows, response) == [1]
    assert destination.pointer(rows, Response(200, b'{"num_received": 3, "num_invalid_entries": 2}')) == []


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"num_received": 2, "num_invalid_entries": 0}, Outcome.DELIVERED),
        ({"num_received": "2", "num_invalid_entries": "0"}, Outcome.DELIVERED),
        ({"num_received": 1, "num_invalid_entries": 0}, Outcome.UNKNOWN),
        ({"num_received": 2, "num_invalid_entries": 2}, Outcome.REJECTED),
    ],
)
def test_counts_are_compared(said, outcome):
    receipts = meta().outcomes(changes(meta(), [1, 2]), Response(200, json.dumps(said).encode()))

    assert [receipt.outcome for receipt in receipts] == [outcome] * 2


@pytest.mark.parametrize(
    ("status", "code", "further", "verdict"),
    [
        (400, 80_003, {}, Verdict.BUSY),
        (400, 17, {"error_subcode": 2_446_079}, Verdict.BUSY),
        (400, 2650, {"error_subcode": 1_870_145}, Verdict.BUSY),
        (400, 190, {"error_subcode": 463}, Verdict.AUTH),
        (400, 200, {"error_subcode": 1_870_090}, Verdict.CONFIG),
        (400, 100, {"error_subcode": 33}, Verdict.CONFIG),
        (400, 100, {"error_subcode": 1_713_230}, Verdict.CONFIG),
        (400, 100, {"message": "Data is missing or does not match schema"}, Verdict.CONFIG),
        (400, 100, {}, Verdict.CONFIG),
        (400, 100, {"error_subcode": 2_804_019}, Verdict.REFUSED),
        (400, 999, {}, Verdict.CONFIG),
        (400, 2, {}, Verdict.BROKEN),
        (400, 999, {"is_transient": True}, Verdict.BROKEN),
        (500, 1, {}, Verdict.BROKEN),
    ],
)
def test_the_code_counts_not_the_status(status, code, further, verdict):
    error = {"error": {"code": code, "message": "m", **further}}

    assert classify(Response(status, json.dumps(error).encode())) is verdict


def test_other_peoples_pages_are_no_answer():
    page = b"<html>Bad gateway</html>"

    assert classify(Response(400, page)) is classify(Response(502, page)) is Verdict.BROKEN
    with pytest.raises(ValueError, match="not JSON"):
        meta().outcomes(changes(meta(), [1]), Response(200, page))


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


def session(number, sequence, is_last=False):
    return {"session_id": number, "batch_seq": sequence, "last_batch_flag": is_last, "estimated_num_total": 9}


def upload(server, path, value, **said):
    body = {"payload": {"schema": ["EMAIL"], "data": [[value * 64]]}, **said}
    return graph(server, "POST", f"/{AUDIENCE}/{path}", body).json()


def test_the_server_keeps_sessions(server):
    first = upload(server, "users", "a", session=session(7, 1))
    second = upload(server, "users", "b", session=session(7, 2, is_last=True))

    assert [first["num_received"], second["num_received"]] == [1, 2]
    shown = graph(server, "GET", f"/{AUDIENCE}/sessions?session_id=7").json()["data"][0]
    assert (shown["stage"], shown["num_received"]) == ("completed", "2")
    body = {"payload": {"schema": ["EXTERN_ID"], "data": [["u"]]}, "session": session(7, 3)}
    assert "share one schema" in graph(server, "POST", f"/{AUDIENCE}/users", body).json()["error"]["message"]


def test_the_server_replaces_a_whole_audience_and_nobody_else_meanwhile(server, monkeypatch):
    monkeypatch.setenv("CDP_NOW", "2026-11-01T10:00:00")
    upload(server, "users", "a")

    assert upload(server, "usersreplace", "b", session=session(1, 2))["error"]["error_subcode"] == 1_870_147
    assert upload(server, "usersreplace", "b", session=session(1, 1))["num_received"] == 1
    assert upload(server, "users", "c")["error"]["error_subcode"] == 1_870_145
    assert upload(server, "usersreplace", "c", session=session(2, 1))["error"]["error_subcode"] == 1_870_145
    assert upload(server, "usersreplace", "c", session=session(1, 2, is_last=True))["num_received"] == 2
    assert set(members(server)) == {f"EMAIL={'b' * 64}", f"EMAIL={'c' * 64}"}
    assert upload(server, "usersreplace", "d", session=session(1, 3))["error"]["error_subcode"] == 1_870_159

    upload(server, "usersreplace", "d", session=session(3, 1))
    monkeypatch.setenv("CDP_NOW", "2026-11-01T11:31:00")
    assert upload(server, "usersreplace", "e", session=session(3, 2))["error"]["error_subcode"] == 1_870_158
    assert set(members(server)) == {f"EMAIL={'d' * 64}"}


def test_the_server_finds_people_by_extern_id_and_forgets_them_everywhere(server):
    destination = meta()
    deliver(destination, [change(destination, person(1, external_id="u1")), change(destination, person(2))])
    by_own = [change(destination, {"external_id": "u1"}, "remove", name="u1")]
    assert deliver(destination, by_own)[0] == [DONE]
    assert len(members(server)) == 1

    email = changes(destination, [2])[0].identifiers["email"]
    graph(server, "DELETE", "/act_1/usersofanyaudience", {"payload": {"schema": ["EMAIL"], "data": [[email]]}})
    assert members(server) == {}


def test_the_server_makes_audiences_that_take_values_or_refuse_them(server):
    body = {"name": "v", "subtype": "CUSTOM", "customer_file_source": "USER_PROVIDED_ONLY", "is_value_based": True}
    made = graph(server, "POST", "/act_1/customaudiences", body).json()["id"]
    ranked = meta("email", "value", audience=made, value_based=True)

    assert deliver(ranked, [change(ranked, person(1, value=3))])[0] == [DONE]
    assert deliver(meta(audience=made), changes(meta(), [2]))[1].refusal.startswith("config")
    valued = meta("email", "value", value_based=True)
    assert deliver(valued, [change(valued, person(1, value=3))])[1].refusal.startswith("config")
