"""The server of Custom Audiences: sessions, replacing, and who is found by what."""

import pytest
from ad_people import DONE, change, changes, deliver, person
from contact_line import account_at
from meta_audience import AUDIENCE, graph, members, meta


@pytest.fixture
def server(desk, monkeypatch):
    account_at(desk, "meta", monkeypatch)
    return desk


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
