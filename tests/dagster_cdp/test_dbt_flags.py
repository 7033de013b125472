"""A dbt command of a process that lives on takes as long as the one before."""

import inspect

import pytest

from dagster_cdp.dbt_flags import forget_who_declared


def test_who_declared_a_flag_is_not_searched_for(monkeypatch):
    from dbt_common.behavior_flags import Behavior

    def searched():
        pytest.fail("dbt looked through the whole stack")

    forget_who_declared()
    monkeypatch.setattr(inspect, "stack", searched)
    behavior = Behavior([{"name": "some_flag", "default": True, "docs_url": ""}], {})
    assert behavior.some_flag


def test_each_command_of_the_project_begins_with_that(monkeypatch):
    from dagster_cdp import dbt

    began = []
    monkeypatch.setattr(dbt, "forget_who_declared", lambda: began.append(True))
    dbt.invoke(["--version"])
    assert began == [True]
