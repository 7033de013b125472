"""The identity graph of a loaded demo against the people who are really behind it."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest
from person_map import agreement, read_truth

from tests.agreement import Agreement

HOME = Path(os.environ.get("CDP_HOME", Path(__file__).parents[2] / ".cdp"))
WAREHOUSE = Path(os.environ.get("CDP_WAREHOUSE", HOME / "warehouse.duckdb"))
TRUTH = Path(os.environ.get("CDP_TRUTH", HOME / "truth"))
LEAST_PRECISION = 0.99
LEAST_RECALL = 0.85


def test_pairs_that_are_rightly_and_wrongly_together_are_counted() -> None:
    people = {("email", "a"): "ada", ("phone", "1"): "ada", ("email", "b"): "bob", ("email", "unseen"): "bob"}
    profiles = {("email", "a"): "p1", ("phone", "1"): "p1", ("email", "b"): "p1", ("email", "extra"): "p1"}
    found = agreement(profiles, people)
    assert found == Agreement(together=3, true=1, both=1)
    assert (round(found.precision, 2), found.recall) == (0.33, 1.0)


@pytest.mark.skipif(
    not (WAREHOUSE.exists() and (TRUTH / "identifiers.csv").exists()),
    reason="needs the demo, loaded and built: CDP_HOME with warehouse.duckdb and truth/",
)
def test_profiles_of_the_demo_are_its_people(capsys: pytest.CaptureFixture[str]) -> None:
    with duckdb.connect(str(WAREHOUSE), read_only=True) as warehouse:
        rows = warehouse.execute(
            "select identifier_type, identifier_value, profile_id from identity.profile_identifiers"
        ).fetchall()
    found = agreement({(kind, value): profile for kind, value, profile in rows}, read_truth(TRUTH))
    with capsys.disabled():
        print(f"\nidentity on the demo: precision {found.precision:.4f}, recall {found.recall:.4f}")
    assert found.precision >= LEAST_PRECISION
    assert found.recall >= LEAST_RECALL
