"""The script for pages, in a browser: small, first-party, and silent where it has to be."""

import gzip
import time
from typing import ClassVar

import pytest
from door import KEY
from living import Living
from official import Files, Gate

from sources.collector.choices import CHANGE
from sources.collector.snippet import script

NO_STORAGE = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('', 'SecurityError') }})"
GPC = "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})"


def test_it_is_small():
    assert len(gzip.compress(script(), 9)) < 2048


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Living(tmp_path_factory.mktemp("collector")) as living:
        yield living


@pytest.fixture
def shop(running, chromium, tmp_path):
    """A shop whose pages carry the script; `visit` opens one in a browser with cookies of its own."""
    before = len(running.lines())
    context = None

    class Shop:
        complaints: ClassVar[list[str]] = []

        def visit(self, attributes="", collector=running.address, before_scripts="", **options):
            nonlocal context
            context = context or chromium.new_context(**options)
            tag = f'<script src="{collector}/snippet.js" data-key="{KEY}" {attributes}></script>'
            (tmp_path / "page.html").write_text(f"<!doctype html><title>A page</title>{before_scripts}{tag}")
            page = context.new_page()
            page.on("pageerror", lambda error: self.complaints.append(str(error)))
            if options.get("extra_http_headers"):
                page.add_init_script(GPC)
            page.goto(f"{files.address}/page.html")
            return page

        def lines(self, count=0):
            until = time.monotonic() + 60
            while len(found := running.lines()[before:]) < count and time.monotonic() < until:
                time.sleep(0.05)
            return found

        def cookies(self):
            return {cookie["name"]: cookie["value"] for cookie in context.cookies()}

    with Files(tmp_path) as files:
        yield Shop()
        assert Shop.complaints == []
        context.close()


def test_a_visit_is_a_page_call_and_a_visitor_stays_the_same(shop):
    page = shop.visit()
    page.evaluate("cdp.identify('u1', {plan: 'gold'}); cdp.track('Product Viewed', {product_id: 'P1'})")
    shop.lines(3)
    shop.visit()
    lines = shop.lines(4)
    assert [line["event"]["type"] for line in lines] == ["page", "identify", "track", "page"]
    assert {line["event"]["anonymousId"] for line in lines} == {shop.cookies()["cdp_id"]}
    assert [line["event"].get("userId") for line in lines] == [None, "u1", "u1", "u1"]
    first = lines[0]["event"]["context"]
    assert first["page"]["title"] == "A page"
    assert "consent" not in first
    assert lines[0]["consent"]["given"] is False


def test_calls_before_the_script_is_there_are_not_lost(shop):
    shop.visit('data-page="no"', before_scripts="<script>window.cdp = {q: [['track', 'Early', {a: 1}]]}</script>")
    assert [line["event"]["event"] for line in shop.lines(1)] == ["Early"]


def test_where_a_yes_is_needed_nothing_is_sent_or_kept_before(shop):
    page = shop.visit('data-consent="required"')
    page.evaluate("cdp.track('Too early')")
    page.wait_for_timeout(400)
    assert shop.lines() == []
    assert shop.cookies() == {}
    assert page.evaluate("localStorage.length") == 0
    page.evaluate("cdp.consent({analytics: true, advertising: false}); cdp.track('In time')")
    change, page_call, event = shop.lines(3)
    assert (change["event"]["event"], page_call["event"]["type"], event["event"]["event"]) == (
        CHANGE,
        "page",
        "In time",
    )
    assert event["consent"] == {"given": True, "gpc": False, "share": False, "denied": ["advertising"]}
    assert shop.cookies().keys() == {"cdp_id", "cdp_consent"}


def test_a_page_is_seen_once_whenever_the_yes_comes(shop):
    page = shop.visit('data-consent="required"')
    for _ in range(2):
        page.evaluate("cdp.consent({analytics: true})")
    page.evaluate("cdp.track('Last')")
    assert [line["event"].get("event", "page") for line in shop.lines(4)] == [CHANGE, "page", CHANGE, "Last"]


def test_a_page_without_page_call_has_none_after_a_yes_either(shop):
    page = shop.visit('data-consent="required" data-page="no"')
    page.evaluate("cdp.consent({analytics: true}); cdp.track('Last')")
    assert [line["event"].get("event", "page") for line in shop.lines(2)] == [CHANGE, "Last"]


def test_a_browser_that_keeps_nothing_for_a_site_is_no_fault(shop):
    page = shop.visit(before_scripts=f"<script>{NO_STORAGE}</script>")
    page.evaluate("cdp.track('Seen')")
    assert [line["event"].get("event", "page") for line in shop.lines(2)] == ["page", "Seen"]


def test_a_no_is_told_once_and_forgets_the_visitor(shop):
    page = shop.visit()
    shop.lines(1)
    page.evaluate("cdp.consent({analytics: false}); cdp.track('Never')")
    shop.lines(2)
    page.wait_for_timeout(300)
    assert [line["event"].get("event") for line in shop.lines()] == [None, CHANGE]
    assert shop.cookies().keys() == {"cdp_consent"}
    shop.visit().wait_for_timeout(300)
    assert len(shop.lines()) == 2


def test_global_privacy_control_is_honoured(shop):
    shop.visit(extra_http_headers={"Sec-GPC": "1"})
    [line] = shop.lines(1)
    assert line["event"]["context"]["consent"]["categoryPreferences"] == {
        "analytics": True, "advertising": False, "datasharing": False,
    }  # fmt: skip
    assert line["consent"] == {"given": True, "gpc": True, "share": False, "denied": ["advertising", "datasharing"]}


@pytest.mark.parametrize("faults", [(503, 429), ("lost",)])
def test_a_collector_that_does_not_answer_is_asked_again(shop, running, faults):
    with Gate(running.address, *faults) as gate:
        shop.visit(collector=gate.address)
        [line] = shop.lines(1)
        time.sleep(1.5)
        assert gate.faults == []
    assert [again["messageId"] for again in shop.lines()] == [line["messageId"]]


def test_what_was_not_sent_is_sent_by_the_next_page(shop, running):
    with Gate(running.address, *[503] * 50) as gate:
        page = shop.visit(collector=gate.address)
        page.wait_for_timeout(300)
        page.close()
    assert shop.lines() == []
    shop.visit()
    assert [line["event"]["type"] for line in shop.lines(2)] == ["page", "page"]


def test_what_waits_when_a_page_is_left_goes_by_beacon(shop):
    page = shop.visit('data-page="no"')
    page.evaluate("cdp.track('Left')")
    page.goto("about:blank")
    # on a slow machine the call was on its way too: the collector may write both at once, and staging drops one
    assert len({(line["event"]["event"], line["messageId"]) for line in shop.lines(1)}) == 1
