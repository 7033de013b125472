"""What every vendor's server gets: documents, faults on demand, a log and a page to look at."""

import socket
import sys
import time

import httpx
import pytest
from vendor_desk import desk_of

from reverse_etl.sandbox.__main__ import main
from reverse_etl.sandbox.vendor import Answer, all_vendors, environment


class Shop:
    """A vendor that keeps what it is told, and errs on demand."""

    name = "shop"

    def handle(self, request, store):
        if request.path == "/errs":
            store.put("members/all", "half", {})
            raise RuntimeError("ann@example.com")
        if request.method == "DELETE":
            return Answer(200 if store.drop("members/all", request.path[1:]) else 404, {})
        store.put("members/all", request.path[1:], request.json() | dict(request.query))
        return Answer(201, {"held": store.count("members/all")}, headers={"x-shop": request.headers["host"]})


class Proud(Shop):
    name = "proud"
    environment = {"PROUD_URL": "{url}/v1", "PROUD_KEY": "k"}  # noqa: RUF012 — as a vendor may say it

    def failing(self, status, seconds):
        return Answer(200, {"code": status * 100 + int(seconds)})


@pytest.fixture
def desk(cdp_home):
    with desk_of({"shop": Shop(), "proud": Proud()}) as desk:
        yield desk


def put(desk, key="a", vendor="shop", timeout=2.0):
    return httpx.post(f"{desk.url(vendor)}/{key}", json={"n": 1}, timeout=timeout)


def test_a_vendor_is_served_below_its_name_with_method_path_query_and_body(desk):
    answer = httpx.post(f"{desk.url('shop')}/a%20b?x=1", json={"n": 1})

    assert (answer.status_code, answer.json()) == (201, {"held": 1})
    assert answer.headers["x-shop"] == desk.address.removeprefix("http://")
    assert desk.held("shop", "members/all") == {"a b": {"n": 1, "x": "1"}}
    assert httpx.request("DELETE", f"{desk.url('shop')}/a b").status_code == 200
    assert httpx.request("DELETE", f"{desk.url('shop')}/a b").status_code == 404
    assert httpx.get(f"{desk.address}/nobody/a").status_code == 404


def test_state_is_readable_as_json_whole_or_in_part(desk):
    put(desk)
    put(desk, vendor="proud")

    whole = httpx.get(f"{desk.address}/__state").json()
    assert whole["audiences"] == {}
    assert whole["vendors"]["shop"]["members/all"] == {"a": {"n": 1}}
    assert set(httpx.get(f"{desk.address}/__state?vendor=proud").json()["vendors"]) == {"proud"}
    httpx.post(f"{desk.address}/__reset")
    assert httpx.get(f"{desk.address}/__state").json()["vendors"] == {}
    assert desk.log() == []


def test_documents_of_batches(desk):
    with desk.store("shop") as store:
        store.put_all("members/1", {str(n): {"n": n} for n in range(5)})
        store.put("other", "x", 7)
        assert store.some("members/1", ["1", "9"]) == {"1": {"n": 1}}
        assert store.get("members/1", "9") is None
        assert store.kinds("members/") == ["members/1"]
        assert store.drop_all("members/1", ["0", "1", "9"]) == 2
        assert store.count("members/1") == 3
        assert store.drop_all("members/1") == 3


def test_a_vendor_that_errs_says_where_changes_nothing_and_quotes_nobody(desk, capsys):
    answer = httpx.post(f"{desk.url('shop')}/errs", json={})

    assert answer.status_code == 500
    assert "RuntimeError in shop" in answer.json()["error"]
    assert desk.held("shop", "members/all") == {}
    assert "ann@" not in answer.text + "".join(capsys.readouterr())


@pytest.mark.parametrize(("action", "is_applied"), [("reset", False), ("timeout", False), ("drop_after_commit", True)])
def test_a_lost_answer_may_have_been_applied(desk, action, is_applied):
    desk.plant(action)

    with pytest.raises(httpx.TransportError):
        put(desk)

    assert bool(desk.held("shop", "members/all")) is is_applied
    assert put(desk).status_code == 201


def test_a_hanging_vendor_hangs_until_the_caller_goes(desk):
    desk.plant("hang")

    with pytest.raises(httpx.ReadTimeout):
        put(desk, timeout=0.2)

    assert desk.held("shop", "members/all") == {}


def test_a_slow_vendor_answers_in_the_end(desk):
    desk.plant("slow", seconds=0.2)
    began = time.monotonic()

    assert put(desk).status_code == 201
    assert time.monotonic() - began >= 0.2


def test_statuses_and_html_come_as_asked(desk):
    desk.plant("429", seconds=7)
    desk.plant("html")

    busy, gateway = put(desk), put(desk)

    assert (busy.status_code, busy.headers["retry-after"]) == (429, "7")
    assert (gateway.status_code, gateway.text) == (200, "<html>Gateway</html>")
    assert desk.held("shop", "members/all") == {}


def test_a_vendor_may_fail_in_its_own_words(desk):
    desk.plant("429", seconds=7)

    assert put(desk, vendor="proud").json() == {"code": 42_907}


def test_a_fault_strikes_whom_it_is_for_and_when(desk):
    desk.plant("500", times=2, vendor="shop", path="^/shop/b", nth=2)

    asked = [("bx", "shop"), ("bx", "proud"), ("ax", "shop"), ("bx", "shop"), ("by", "shop"), ("bx", "shop")]
    said = [put(desk, key, vendor).status_code for key, vendor in asked]

    assert said == [201, 201, 201, 500, 500, 201]


def test_faults_for_the_same_request_take_turns(desk):
    desk.plant("500", path="a")
    desk.plant("502")
    desk.plant("503", nth=3)

    assert [put(desk).status_code for _ in range(4)] == [500, 502, 503, 201]


@pytest.mark.parametrize(
    "wish",
    [
        {"action": "earthquake"},
        {"action": "500", "match": {"who": "me"}},
        {"action": "500", "match": {"path": "("}},
        {"action": "500", "match": {"vendor": "shopp"}},
    ],
)
def test_a_fault_nobody_can_act_out_is_refused(desk, wish):
    assert httpx.post(f"{desk.address}/__fault", json=wish).status_code == 400


def test_requests_are_logged_in_order_with_what_became_of_them(desk):
    desk.plant("reset", nth=2)
    put(desk, "a")
    with pytest.raises(httpx.TransportError):
        put(desk, "b")
    put(desk, vendor="proud")

    log = desk.log("shop")

    assert [(r["method"], r["path"], r["status"], r["fault"]) for r in log] == [
        ("POST", "/shop/a", 201, ""),
        ("POST", "/shop/b", None, "reset"),
    ]
    assert len(desk.log()) == 3


def test_the_page_counts_members_and_masks_them(desk):
    put(desk, "ann@example.com")
    put(desk, "f" * 64)
    put(desk, "EMAIL=" + "e" * 64)
    desk.plant("500", path="planted")

    page = httpx.get(desk.address)

    assert page.headers["content-type"].startswith("text/html")
    assert "<td>shop</td><td>all</td><td class=number>3</td>" in page.text
    assert "ann@" not in page.text
    assert "EMAIL=eeeeee…ee" in page.text
    assert "f" * 12 not in page.text
    assert "planted" in page.text


def test_only_this_machine_is_answered(desk):
    answer = httpx.post(f"{desk.url('shop')}/a", json={}, headers={"host": "evil.example"})

    assert answer.status_code == 404


def test_what_to_set_to_send_here_is_said(desk):
    page = httpx.get(desk.address).text

    assert f"PROUD_URL={desk.address}/proud/v1" in page
    assert environment([Shop()], desk.address) == {}


def test_every_vendor_there_is_loads_under_its_own_name():
    assert {"meta", "google", "tiktok", "linkedin"} <= set(all_vendors())
    assert all(vendor.name == name for name, vendor in all_vendors().items())


def test_a_port_that_can_not_be_had_is_named(cdp_home, monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(sys, "argv", ["sandbox", "--port", str(port)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(f"can't listen on port {port}: Address already in use")
