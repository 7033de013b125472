"""The dbt project is parsed once per process, and by one process at a time."""

import fcntl
import threading
from types import SimpleNamespace

from dagster_cdp import dbt


def test_who_parses_waits_for_another_process_that_does(monkeypatch, tmp_path):
    """Dbt writes its manifest in place: of two at once came one file of both."""
    began = threading.Event()
    monkeypatch.setattr(dbt, "target_path", lambda: tmp_path / "target")
    monkeypatch.setattr(dbt, "invoke", lambda _: began.set() or SimpleNamespace(success=True, result="parsed"))
    (tmp_path / "target").mkdir()
    with (tmp_path / "target" / "parse.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        thread = threading.Thread(target=dbt.parsed.__wrapped__)
        thread.start()
        assert not began.wait(0.3)
    assert began.wait(10)
    thread.join()
