"""Small parts: addresses, bots, log lines, metrics, settings."""

import json
import logging
import re

import pytest
from door import KEY, TRACK
from msgspec.structs import replace

from sources.collector import bots, telling
from sources.collector.addresses import kept
from sources.collector.metrics import HELP, Metrics, Shared, text
from sources.collector.server import Worker
from sources.collector.settings import Settings, read_settings
from sources.log.opening import OpenLog
from sources.refusals import BadConfiguration


@pytest.mark.parametrize(
    ("address", "truncated"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("2001:db8:1:2::3", "2001:db8:1::"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("[2001:db8:1:2::3]", "2001:db8:1::"),
        ("fe80::1%eth0", "fe80::"),
        ("unix:", None),
        ("somebody@example.com", None),
        ("", None),
    ],
)
def test_an_address_is_cut_to_its_neighbourhood(address, truncated):
    assert kept(address, "truncate") == truncated
    assert kept(address, "drop") is None
    assert kept(address, "keep") == address


@pytest.mark.parametrize(
    ("agent", "is_bot"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", True),
        ("curl/8.0", True),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0", True),
        ("Mozilla/5.0 (Linux; Android 9; CUBOT X19) Chrome/140.0 Mobile Safari/537.36", False),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", False),
        ("ia_archiver", True),
    ],
)
def test_bots_are_known(agent, is_bot):
    assert bots.is_bot(agent) is is_bot


def test_the_words_are_those_of_staging():
    from pathlib import Path

    macros = Path(__file__).parents[3] / "dbt_project" / "macros"
    [macro] = [file.read_text() for file in macros.rglob("*.sql") if "macro is_bot(" in file.read_text()]
    words = re.search(r"'(bot\|[^']+)'", macro).group(1)
    assert set(words.split("|")) == set(bots.WORDS.split("|"))


def test_bots_are_marked_and_kept(door):
    bot = {"userAgent": "Googlebot/2.1"}
    door.track(context=bot)
    door.post("/v1/track", {**TRACK, "messageId": "m2"}, {"user-agent": "Googlebot/2.1"})
    door.post("/v1/track", {**TRACK, "messageId": "m3"}, {"user-agent": "analytics-python/2"}, key="wk_server")
    assert [line["isBot"] for line in door.lines()] == [True, True, False]


def test_a_log_line_has_only_fields_that_cannot_be_personal(capsys):
    telling.tell("worker_started", worker="w0", port=1)
    assert json.loads(capsys.readouterr().err)["event"] == "worker_started"
    with pytest.raises(ValueError, match="ip"):
        telling.tell("request", ip="203.0.113.7")


def test_what_libraries_say_is_reduced_to_who_said_it(capsys):
    logger = logging.getLogger("some.library")
    logger.addHandler(telling.Handler(logging.WARNING))
    logger.propagate = False
    try:
        {}["bo@example.com"]
    except KeyError:
        logger.exception("failed for bo@example.com")
    said = capsys.readouterr().err
    assert json.loads(said)["error"] == "KeyError"
    assert "bo@" not in said


def test_metrics_count_what_became_of_everything(door):
    door.batch(TRACK, TRACK, {"type": "track"}, {**TRACK, "context": {"consent": {"categoryPreferences": {}}}})
    door.post("/v1/track", TRACK, key="nobody")
    door.peer = "1.1.1.1"
    assert door.ask("GET", "/metrics").status_code == 403
    door.peer = "127.0.0.1"
    assert door.ask("GET", "/metrics", headers={"x-forwarded-for": "10.0.0.1"}).status_code == 403
    samples = door.ask("GET", "/metrics").text
    for outcome, reason in [("accepted", ""), ("duplicate", ""), ("denied", ""), ("quarantined", "missing_event_name")]:
        wanted = f'cdp_collector_events_total{{worker="w0",source="site",outcome="{outcome}",reason="{reason}"}} 1'
        assert wanted in samples
    assert 'cdp_collector_requests_total{worker="w0",status="401"} 1' in samples
    assert samples.count("# TYPE cdp_collector_request_seconds histogram") == 1


def test_metrics_may_be_for_anyone(door_of, door):
    public = door_of(replace(door.settings, metrics="anyone"), peer="1.1.1.1")
    assert public.ask("GET", "/metrics").status_code == 200


def test_each_worker_tells_what_the_others_left(tmp_path):
    first, second = Metrics(), Metrics()
    first.answered(200, 0.003)
    second.answered(200, 7)
    Shared(tmp_path, "w1").leave(second.samples("w1"))
    told = text(Shared(tmp_path, "w0").everyone(first.samples("w0"))).decode()
    assert 'requests_total{worker="w0",status="200"} 1' in told
    assert 'requests_total{worker="w1",status="200"} 1' in told
    assert 'request_seconds_bucket{worker="w0",le="0.005"} 1' in told
    assert 'request_seconds_bucket{worker="w1",le="2.5"} 0' in told
    families = [line.split()[2] for line in told.split("\n") if line.startswith("# TYPE")]
    assert len(families) == len(set(families)) <= len(HELP)


def test_a_missing_file_of_settings_is_written_with_fresh_keys(tmp_path):
    first = read_settings(tmp_path / "new" / "collector.yml")
    assert first == read_settings(tmp_path / "new" / "collector.yml")
    assert {name: sender.kind for name, sender in first.sources.items()} == {"site": "browser", "server": "server"}
    assert (tmp_path / "new" / "collector.yml").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("sources: {site: {kind: browser}}", "write_key"),
        ("sources: {site: {write_key: a, colour: red}}", "colour"),
        ("sources: {a: {write_key: x}, b: {write_key: x}}", "write_key of its own"),
        ("sources: [", "collector.yml"),
        ("limits: {event: many}", "limits.event"),
    ],
)
def test_faulty_settings_are_named(tmp_path, written, why):
    (tmp_path / "collector.yml").write_text(written)
    with pytest.raises(BadConfiguration, match=why):
        read_settings(tmp_path / "collector.yml")


def test_pages_of_other_sites_are_turned_away(door_of, door):
    mine = "https://shop.example"
    site = replace(door.settings.sources["site"], origins=(mine,))
    strict = door_of(Settings(sources={"site": site}))
    assert strict.post("/v1/track", TRACK, {"origin": "https://elsewhere.example"}).status_code == 403
    assert strict.lines() == []
    preflight = strict.ask("OPTIONS", "/v1/t", headers={"origin": "https://elsewhere.example"})
    assert "access-control-allow-origin" not in preflight.headers
    assert strict.post("/v1/track", TRACK, {"origin": mine}).headers["access-control-allow-origin"] == mine


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/track", 405),
        ("DELETE", "/v1/batch", 405),
        ("POST", "/healthz", 405),
        ("HEAD", "/v1/track", 405),
        ("HEAD", "/pixel/v1/track", 405),
        ("GET", "/", 404),
        ("GET", f"/v1/projects/{KEY}/../settings", 404),
        ("OPTIONS", "/nowhere", 404),
    ],
)
def test_what_is_no_route(door, method, path, status):
    answer = door.ask(method, path)
    assert answer.status_code == status
    assert ("allow" in answer.headers) == (status == 405)


def test_failures_to_ship_the_log_are_measured_and_told_once(door, tmp_path, capsys):
    class Forwarder:
        failures, fault = 3, "the object store did not take a segment: PermissionError"

    worker = Worker(door.settings, OpenLog(door.log, forwarder=Forwarder()), door.memory, tmp_path / "state")
    for _ in range(2):
        worker._measure()
    [line] = map(json.loads, capsys.readouterr().err.splitlines())
    assert (line["event"], line["error"], line["count"]) == ("log_not_shipped", Forwarder.fault, 3)
    assert (
        'cdp_collector_log_ship_failures_total{worker="w0"} 3' in text(worker.collector.metrics.samples("w0")).decode()
    )
