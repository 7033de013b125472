"""What may be hot, and that what may not is refused by name and reason."""

from __future__ import annotations

import copy

import pytest
from live_world import build
from shoppers import EVENTS, Shoppers

from dagster_cdp import dbt
from dagster_cdp.live.gate import NotHot, frozen_words, hot_models, require_hot, require_same
from dagster_cdp.live.plan import make_plan
from dagster_cdp.live.resident import Incremental, Resident

VICTIM = "model.cdp.profile_events"


@pytest.fixture
def manifest():
    return copy.deepcopy(dict(dbt.manifest()))


def refusal(manifest) -> str:
    with pytest.raises(NotHot) as refused:
        require_hot(manifest)
    assert VICTIM.rsplit(".", 1)[-1] in str(refused.value)
    return str(refused.value)


def test_the_projects_own_hot_models_are_honoured(manifest):
    assert VICTIM in require_hot(manifest)


def test_models_come_after_what_they_read(manifest):
    order = hot_models(manifest)
    for place, name in enumerate(order):
        read = set(manifest["nodes"][name]["depends_on"]["nodes"]) & set(order)
        assert read <= set(order[:place]), name


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("select '{{ run_started_at }}'", "run_started_at"),
        ("select '{{ invocation_id }}'", "invocation_id"),
        ("{% set days = var('days', 7) %} select {{ days }}", "var"),
        ("select {{ env_var('DAYS') }}", "env_var"),
        ("select '{{ modules.datetime.datetime.now() }}'", "now"),
        ("{% if flags.WHICH == 'compile' %} select 1 {% else %} select 2 {% endif %}", "flags"),
        ("{% if invocation_args_dict.which == 'run' %} select 1 {% endif %}", "invocation_args_dict"),
    ],
)
def test_what_would_freeze_is_refused(manifest, code, word):
    manifest["nodes"][VICTIM]["raw_code"] += code
    assert f"`{word}`" in refusal(manifest)


def test_what_a_macro_would_freeze_is_refused(manifest):
    manifest["macros"]["macro.cdp.stale_events"]["macro_sql"] += "{{ var('days') }}"  # called by increments only
    assert "`var` (in stale_events)" in refusal(manifest)


def test_words_of_sql_and_comments_are_no_variables():
    assert frozen_words("select var from now {# {{ var('x') }} #} where flags = 1") == []


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"materialized": "table"}, "materialised as table"),
        ({"materialized": "view"}, "materialised as view"),
        ({"incremental_strategy": "microbatch"}, "the strategy microbatch"),
        ({"incremental_strategy": "insert_overwrite"}, "the strategy insert_overwrite"),
        ({"pre-hook": [{"sql": "select 1"}]}, "a pre-hook"),
        ({"post-hook": [{"sql": "select 1"}]}, "a post-hook"),
        ({"sql_header": "set x = 1"}, "an sql_header"),
    ],
)
def test_what_the_runner_does_not_do_is_refused(manifest, changed, reason):
    manifest["nodes"][VICTIM]["config"].update(changed)
    assert reason in refusal(manifest)


def test_a_second_model_of_the_same_table_is_refused(manifest):
    twin = copy.deepcopy(manifest["nodes"][VICTIM])
    twin.update(name="profile_events_live", unique_id="model.cdp.profile_events_live", tags=[])
    manifest["nodes"][twin["unique_id"]] = twin
    assert "profile_events_live writes the same table" in refusal(manifest)


def test_a_planted_second_implementation_is_refused():
    with pytest.raises(NotHot, match="second implementation"):
        require_same(
            "select 1 as a", ["create temporary table x as (select 2 as a)", "insert into t select * from x"], "m"
        )
    require_same("select 1\n as a", ["create temporary table x as (\nselect 1 as a\n)"], "m")


def test_sql_that_is_not_what_dbt_compiled_makes_no_plan(live, monkeypatch):
    """Somebody runs something faster in place of one model; the others are what they were."""
    genuine = Resident.incremental

    def planted(resident, node):
        rendered = genuine(resident, node)
        if node.unique_id != VICTIM:
            return rendered
        own = f"select * from ({node.compiled_code.replace('left join', 'inner join')})"
        return Incremental(node.name, [text.replace(node.compiled_code, own) for text in rendered.statements])

    assert make_plan(live.connection).steps
    monkeypatch.setattr(Resident, "incremental", planted)
    with pytest.raises(NotHot, match=r"profile_events: .* second implementation"):
        make_plan(live.connection)


def test_a_variable_in_a_hot_model_keeps_the_owner_from_starting(live, monkeypatch, manifest):
    manifest["nodes"][VICTIM]["raw_code"] += "{{ var('days', 7) }}"
    monkeypatch.setattr(dbt, "manifest", lambda: manifest)
    with pytest.raises(NotHot, match=r"profile_events: `var`"):
        make_plan(live.connection)


def test_a_warehouse_from_before_a_column_asks_for_a_build_that_goes_on_counting(live):
    def batches():
        return live.rows("select max(_batch) from identity.identifier_groups")[0][0]

    live.write((EVENTS, line) for lane, line in Shoppers(4).lines(20) if lane == EVENTS)
    live.catch_up()
    before = batches()
    live.connection.execute("alter table identity.identifier_groups drop column _moved_batch")
    with pytest.raises(NotHot, match="profile_events asks a table for what it has not"):
        make_plan(live.connection)
    build("identifier_groups")
    assert batches() > before
    make_plan(live.connection)
