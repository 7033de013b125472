"""What a batch brought is looked at as a whole by the cycle that takes it up; beside cycles it gives way."""

from __future__ import annotations

import threading
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


def jobs_of(order, refresh=None):
    tail = SimpleNamespace(loads_apart=nullcontext)

    @contextmanager
    def company():
        order.append("company")
        yield
        order.append("alone")

    refresh = refresh or partial(order.append, "refreshed")
    loop = SimpleNamespace(refresh=refresh, turn=nullcontext(), tail=tail, company=company)
    return Jobs(loop, lambda: order.append("told"))


def test_the_cycle_after_a_build_looks_at_all(heard):
    jobs_of(heard).dbt(lambda _: None, [], [])
    assert heard == ["refreshed", "company", "built", "alone", "told", "refreshed"]


def test_a_load_is_looked_at_too(heard):
    jobs_of(heard).load(lambda _: None, "crm")
    assert heard == ["company", "loaded", "alone", "told"]


@pytest.mark.parametrize(
    ("job", "asked", "beside"),
    [
        ("dbt", ([], ["profiles"]), [False, True, False, True]),
        ("load", ("crm",), [True]),
        ("gate", (["orders"],), [True]),
    ],
)
def test_a_batch_has_a_thread_that_gives_way_and_the_cycles_around_it_have_not(heard, monkeypatch, job, asked, beside):
    were_beside = []

    def work(*_, **__):
        were_beside.append(threading.current_thread().name.startswith("batch"))
        return SimpleNamespace(success=True)

    monkeypatch.setattr(jobs_module.dbt, "run", work)
    monkeypatch.setattr(jobs_module, "load", work)
    monkeypatch.setattr(jobs_module, "_judge", work)
    getattr(jobs_of(heard, refresh=work), job)(lambda _: None, *asked)
    assert were_beside == beside
