"""What a batch brought is looked at as a whole by the cycle that takes it up."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from functools import partial
from types import SimpleNamespace

import pytest

from dagster_cdp.live import jobs as jobs_module
from dagster_cdp.live.jobs import Jobs


@pytest.fixture
def heard(monkeypatch):
    """In which order it is told and refreshed; nothing is built or loaded."""
    order = []
    monkeypatch.setattr(jobs_module.dbt, "forget_if_changed", lambda: None)
    monkeypatch.setattr(jobs_module.dbt, "run", lambda *_: order.append("built") or SimpleNamespace(success=True))
    monkeypatch.setattr(jobs_module, "load_source", lambda name: name)
    monkeypatch.setattr(jobs_module, "load", lambda *_, **__: order.append("loaded"))
    return order


def jobs_of(order):
    tail = SimpleNamespace(loads_apart=nullcontext)

    @contextmanager
    def company():
        order.append("company")
        yield
        order.append("alone")

    refreshed = partial(order.append, "refreshed")
    loop = SimpleNamespace(refresh=refreshed, turn=nullcontext(), tail=tail, company=company)
    return Jobs(loop, lambda: order.append("told"))


def test_the_cycle_after_a_build_looks_at_all(heard):
    jobs_of(heard).dbt(lambda _: None, [], [])
    assert heard == ["refreshed", "company", "built", "alone", "told", "refreshed"]


def test_a_load_is_looked_at_too(heard):
    jobs_of(heard).load(lambda _: None, "crm")
    assert heard == ["company", "loaded", "alone", "told"]
