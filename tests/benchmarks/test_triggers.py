"""The benchmark measures what it says: both sides decide the same, beside whatever past."""

from __future__ import annotations

import json
import sys

from tests.benchmarks import triggers


def test_both_sides_open_and_decide_the_same(monkeypatch, capsys):
    sizes = ["--people", "2000", "--past", "3000", "--listed", "1000", "--batch", "80", "--rounds", "1"]
    monkeypatch.setattr(sys, "argv", ["triggers", *sizes, "--json"])
    decided, look_and_decide = [], triggers.look_and_decide
    monkeypatch.setattr(triggers, "look_and_decide", lambda *given: decided.append(look_and_decide(*given)))

    triggers.main()

    assert json.loads(capsys.readouterr().out)["ratio"] > 0
    assert decided[0].counts["item_interest"]["send"] > 0
    assert [one.counts for one in decided[::2]] == [one.counts for one in decided[1::2]]
