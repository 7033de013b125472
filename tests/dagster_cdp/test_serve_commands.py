"""When the profile API publishes: before it answers, when it starts again, and every so many minutes."""

import threading

import pytest

from dagster_cdp import serve_commands
from reverse_etl.serving import server, snapshot


@pytest.fixture
def published(monkeypatch, cdp_home):
    """Counts publications; serving lasts until the test has seen enough, or for a second."""
    seen, done = [], threading.Event()
    monkeypatch.setattr(serve_commands, "_publish_beside", lambda: seen.append(1) or done.set())
    monkeypatch.setattr(server, "serve", lambda *_, **__: done.wait(1))
    return seen


def serve(**options):
    serve_commands.serve(**{"host": "127.0.0.1", "port": 0, "publish": False, "longest_age": 24, **options})


def test_without_a_file_it_is_made_first(published):
    serve(publish_every=0)
    assert published == [1]


def test_a_file_of_yesterday_is_renewed_when_it_starts_again(published):
    """Else a file that is too old is not served until the first quarter of an hour is over."""
    snapshot.default_path().parent.mkdir(parents=True)
    snapshot.default_path().touch()
    serve(publish_every=15)
    assert published == [1]


def test_zero_minutes_is_never(published):
    snapshot.default_path().parent.mkdir(parents=True)
    snapshot.default_path().touch()
    serve(publish_every=0)
    assert published == []
