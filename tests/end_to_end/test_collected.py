"""Every event the collector said yes to ends in exactly one place, whatever was killed on the way."""

import json
import signal

import pytest
from collecting import Collector
from demo_line import copied, point_at

from sources.collector.signatures import fresh_standard_secret

SECRET = fresh_standard_secret()
SETTINGS = """
sources:
  server:
    write_key: wk_test
    kind: server
webhooks:
  helpdesk: {{kind: standard, secrets: [SECRET], tables: [{tables}]}}
limits:
  event: {limit}
""".replace("SECRET", SECRET)


def event(message_id, **more):
    said = {"type": "track", "event": "Seen", "messageId": message_id, "anonymousId": f"a-{message_id}"}
    said |= {"timestamp": "2026-03-01T10:00:00Z", "properties": {"price": 1}, "context": {"locale": "en"}}
    return {**said, **more}


GOOD = [f"m{number}" for number in range(30)]
REFUSED = {"nameless": "missing_event_name", "nobody": "no_user_anon_id", "large": "event_too_large"}


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """A line whose only input came through a collector that was killed and started again."""
    from dagster_cdp.line import run_line

    home = tmp_path_factory.mktemp("collected")
    (home / "inbox/web_events/events").mkdir(parents=True)
    (home / "collector.yml").write_text(SETTINGS.format(limit=700, tables=""))
    with pytest.MonkeyPatch.context() as environment:
        for name, value in point_at(home).items():
            environment.setenv(name, value)
        environment.delenv("CDP_NOW")  # the collector's clock is the real one
        environment.setenv("COLUMNS", "200")
        collector = Collector().start()
        collector.send(*(event(name) for name in GOOD[:20]))
        collector.send(*(event(name) for name in GOOD[:5]))  # an SDK tries again
        collector.send(
            event("m20"), event("nameless", event=None), event("nobody", anonymousId=None),
            event("large", properties={"text": "x" * 900}), event("m21"),
            event("denied", context={"consent": {"categoryPreferences": {"analytics": False}}}),
            event("half", properties={"emoji": "\ud83d"}),
        )  # fmt: skip
        collector.end(signal.SIGKILL)
        collector.start()
        collector.send(*(event(name) for name in GOOD[18:]))
        collector.deliver("helpdesk", SECRET, "d1", {"type": "support.users", "data": {"id": "7"}})
        collector.end()
        lines = [json.dumps(event(name, receivedAt="2026-03-01T10:00:01Z")) for name in ("m1", "m2", "filed")]
        (home / "inbox/web_events/events/elsewhere.jsonl").write_text("\n".join(lines))
        counted = 'key:"ops/conservation" or key:"ops/quarantine" or key:"ops/row_outcomes"'
        yield home, run_line(f"group:raw or group:gates or group:staging or {counted}")


def ask(query):
    from dagster_cdp.warehouse import connect

    with connect("test") as warehouse:
        return warehouse.execute(query)


def ends():
    """Where each event ended: {message id: [outcome, …]}, duplicates aside."""
    found = ask(
        "select event_id, _outcome from staging.judged_web_events__events where _outcome <> 'duplicate' "
        "union all select coalesce(message_id, code), _outcome from staging.judged_collector__refusals"
    )
    return {name: sorted(outcome for each, outcome in found if each == name) for name, _ in found}


def test_the_line_ran(collected):
    _, report = collected
    assert report.failures == []


def test_every_event_ended_in_exactly_one_place(collected):
    expected = {name: ["published"] for name in [*GOOD, "filed"]} | {name: ["quarantined"] for name in REFUSED}
    found = ends()
    assert found.pop("half") == ["quarantined"]
    assert found.pop("consent_denied") == ["suppressed"]
    assert found.pop("d1") == ["quarantined"]
    assert found == expected


def test_what_was_refused_says_why_and_is_counted_with_all_else(collected):
    reasons = dict(ask("select message_id, code from staging.stg_collector__refusals"))
    assert {name: reasons[name] for name in REFUSED} == REFUSED
    listed = ask("select rule from ops.quarantine where connector = 'collector'")
    assert {(code,) for code in REFUSED.values()} <= set(listed)
    wrong = ask(
        "select count(*) from ops.conservation where landed_count <> "
        "published_count + quarantined_count + duplicate_count + suppressed_count or landed_count < reported_count"
    )
    assert wrong == [(0,)]


def test_of_an_event_nobody_may_keep_only_a_count_is_left(collected):
    home, _ = collected
    assert ask("select event_type, event_count from staging.judged_collector__refusals where stage = 'consent'") == [
        ("track", 1)
    ]
    written = b"".join(path.read_bytes() for path in (home / "log").rglob("*.sealed"))
    assert b"a-m0" in written
    assert b"a-denied" not in written


def said(*words):
    from typer.testing import CliRunner

    from dagster_cdp.cli import app

    ran = CliRunner().invoke(app, ["quarantine", *words])
    assert ran.exit_code == 0, ran.output
    return ran.output


@pytest.mark.whole
def test_a_refused_event_comes_through_once_the_settings_allow_it(collected, tmp_path, monkeypatch):
    from dagster_cdp.line import run_line

    home = copied(collected[0], tmp_path / "again", monkeypatch).home
    monkeypatch.delenv("CDP_NOW")
    assert "event_too_large" in said("list")
    listed = json.loads(said("list", "--json", "--code", "table_not_allowed"))["refusals"]
    assert [(each["stage"], each["source"], each["through_later"]) for each in listed] == [("webhook", "helpdesk", 0)]
    assert "0 of 1 would pass" in said("replay", "--try", "--code", "event_too_large")
    (home / "collector.yml").write_text(SETTINGS.format(limit=2000, tables="support.users"))
    assert "3 of 5 would pass" in said("replay", "--try")  # the half character was replaced when it was written down
    assert "1 of 1 pass" in said("replay", "--code", "event_too_large")
    assert "2 of" in said("replay")
    assert "0 of" in said("replay", "--code", "table_not_allowed")  # also before it is loaded
    report = run_line("group:raw or group:gates or group:staging")
    assert report.failures == []
    [(received, count)] = ask(
        "select max(received_at) < timestamp '2100-01-01', count(*) from staging.stg_web_events__events "
        "where event_id = 'large'"
    )
    assert (received, count) == (True, 1)
    same = ask(
        "select count(*) from staging.stg_web_events__events as events "
        "inner join staging.stg_collector__refusals as refused on refused.message_id = events.event_id "
        "where refused.received_at = events.received_at"
    )
    assert same == [(2,)]
    assert ask("select id, _source_file like '%support.users%' from raw.support__users") == [("7", True)]
    assert ask("select _outcome from staging.judged_collector__refusals where stage = 'replayed'") == [("suppressed",)]
    assert "0 of 2 would pass" in said("replay", "--try")
    listed = json.loads(said("list", "--json", "--code", "table_not_allowed"))["refusals"]
    assert [each["through_later"] for each in listed] == [1]
