"""Who takes consent back on a page leaves every audience they had been sent to, by way of the collector."""

import pytest
from collecting import Collector
from withdrawing import SETTINGS, logins_of_those_held, withdrawal


@pytest.fixture
def collect(line):
    """Send events through a collector of this line."""

    def send(*events):
        (line.home / "collector.yml").write_text(SETTINGS)
        collector = Collector().start()
        try:
            collector.send(*events)
        finally:
            collector.end()

    return send


def held(line, profile):
    [(count,)] = line.ask("select count(*) from activation.journal where is_held and profile_id = ?", profile)
    return count


@pytest.mark.whole  # `cdp demo --live` is tested to show it in every run
def test_a_withdrawal_leaves_every_audience_and_nobody_else_does(line, collect):
    profile, login, count = logins_of_those_held(line.ask)[0]
    collect(withdrawal(login))
    report = line.run()
    assert report.succeeded, report.failures
    granted = "select count(*) from profiles.consents where profile_id = ? and is_granted"
    assert line.ask(f"{granted} and purpose in ('marketing', 'advertising')", profile) == [(0,)]
    assert held(line, profile) == 0
    assert sum(counts["remove"] for counts in report.changes.values()) == count
    assert all(not counts.get("add") for counts in report.changes.values())
    assert line.run("group:activation").changes_sent == 0


@pytest.mark.whole
def test_what_the_page_stamps_on_other_events_takes_back_too_but_gives_nothing(line, collect):
    (profile, login, _), *_ = logins_of_those_held(line.ask)
    refused = line.ask("select count(*) from profiles.consents where not is_granted")
    stamped = {
        "type": "page", "name": "Home", "userId": login, "anonymousId": "stamped", "messageId": "stamp",
        "timestamp": "2026-03-02T08:00:00Z",
        "context": {"consent": {"categoryPreferences": {"analytics": True, "marketing": False, "functional": True}}},
    }  # fmt: skip
    collect(stamped)
    assert line.run().succeeded
    stamps = "select purpose, status from staging.stg_consent__choices where method = 'stamp' order by 1"
    assert line.ask(stamps) == [("advertising", "denied"), ("marketing", "denied")]
    assert line.ask("select count(*) from profiles.consents where not is_granted") > refused
    denied = "select distinct status from profiles.consents where profile_id = ? and purpose = 'marketing'"
    assert line.ask(denied, profile) == [("denied",)]
