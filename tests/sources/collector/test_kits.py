"""Official kits work unchanged: all their calls arrive, once, through refusals, lost answers and a killed collector."""

import logging
import time

import pytest
from door import KEY
from living import Living
from official import KITS, Files, Gate, installed_kits, run_node

KINDS = ["alias", "group", "identify", "page", "screen", "track"]
PATIENCE = 60.0


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Living(tmp_path_factory.mktemp("collector")) as living:
        yield living


@pytest.fixture
def living(running):
    """A collector of which only the lines written from now on are seen."""
    before = len(running.lines())
    running.new_lines = lambda: running.lines()[before:]
    return running


def call_each(kit):
    """The six calls that every kit has."""
    kit.identify("u1", {"email": "a@example.com"})
    kit.track("u1", "Checkout Started", {"value": 9.5})
    kit.page("u1", name="Home")
    kit.screen("u1", name="Home")
    kit.group("u1", "g1")
    kit.alias("a1", "u1")
    kit.shutdown()


def segment_python(address):
    from segment.analytics.client import Client

    call_each(Client(KEY, host=address, gzip=True, upload_interval=0.1))


def rudder_python(address):
    from rudderstack.analytics.client import Client

    call_each(Client(KEY, host=address, gzip=True, upload_interval=0.1))


def segment_node(address):
    run_node("segment_node.mjs", address, KEY)


def rudder_node(address):
    run_node("rudder_node.mjs", address, KEY)


def kinds_of(lines):
    return sorted(line["event"]["type"] for line in lines)


def wait_for(living, count=6):
    until = time.monotonic() + PATIENCE
    while len(living.new_lines()) < count and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(0.3)
    return living.new_lines()


SERVERS = [segment_python, rudder_python, segment_node, rudder_node]
FAULTS = {"well": (), "pressed": (429, 503, 500), "answers are lost": ("lost", "lost")}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("kit", SERVERS, ids=lambda kit: kit.__name__)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_call_of_a_servers_kit_arrives_once(living, kit, faults, caplog):
    caplog.set_level(logging.CRITICAL)
    with Gate(living.address, *faults) as gate:
        kit(gate.address)
        lines = wait_for(living)
        assert gate.faults == []
    assert kinds_of(lines) == KINDS
    assert {line["writeKey"] for line in lines} == {KEY}
    assert living.lines("quarantine") == []


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("delivery", ["one by one", "batching"])
def test_every_call_of_the_browsers_kit_arrives_once(living, chromium, delivery, faults):
    umd = installed_kits() / "node_modules/@segment/analytics-next/dist/umd"
    with Files(KITS, umd) as shop, Gate(living.address, *faults) as gate:
        page = chromium.new_page()
        complaints = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{shop.address}/segment_browser.html#{KEY}|{gate.host}|{delivery}")
        lines = wait_for(living)
        page.close()
        assert gate.faults == []
    assert complaints == []
    assert kinds_of(lines) == KINDS
    assert len({line["messageId"] for line in lines}) == 6
    assert {line["isBot"] for line in lines} == {True}  # HeadlessChrome
    paths = {path for path, _ in gate.seen}
    assert paths == ({"/v1/b"} if delivery == "batching" else {f"/v1/{kind[0]}" for kind in KINDS})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_kit_outlives_the_collector(tmp_path, caplog):
    from segment.analytics.client import Client

    caplog.set_level(logging.CRITICAL)
    with Living(tmp_path) as living:
        kit = Client(KEY, host=living.address, upload_interval=0.05, upload_size=5)
        for number in range(40):
            kit.track("u1", "Viewed", {"n": number})
            if number == 20:
                living.kill()
        living.start()
        kit.shutdown()
        lines = living.lines()
    assert sorted(line["event"]["properties"]["n"] for line in lines) == list(range(40))
