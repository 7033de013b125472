"""A clerk in place of Great Expectations, who answers as told; `test_expect.py` has the real one."""

import pytest

from dagster_cdp.gates import Finding


class Clerk:
    """Finds everything in order until told otherwise, and remembers what was shown."""

    def __init__(self):
        self.shown = []
        self.answer = True

    def examine(self, suite, batch, _):
        self.shown.append(batch)
        if isinstance(self.answer, Exception):
            raise self.answer
        severity = suite.expectations[0].severity
        return [Finding("ExpectColumnValuesToNotBeNull", "id", severity, self.answer, 0 if self.answer else 7, 9)]


@pytest.fixture
def clerk(monkeypatch):
    clerk = Clerk()
    monkeypatch.setattr("dagster_cdp.expect.Examiner.examine", lambda _, *shown: clerk.examine(*shown))
    return clerk
