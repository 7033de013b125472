"""People explained on the page of the asset after each build."""

import dagster as dg
from people import values

from dagster_cdp.defs.identity import explain_identity
from dagster_cdp.identity.sample import sample_explanation


def test_the_same_seed_explains_the_same_people(ada_and_ben):
    first = sample_explanation(ada_and_ben.warehouse, 1, "a")
    assert first == sample_explanation(ada_and_ben.warehouse, 1, "a")
    seen = {sample_explanation(ada_and_ben.warehouse, 1, seed).markdown for seed in "abcdefgh"}
    assert len(seen) == 2


def test_the_largest_profile_and_its_bridges_are_counted(ada_and_ben, profile_of):
    sample = sample_explanation(ada_and_ben.warehouse, 2)
    assert (sample.largest_profile_id, sample.largest_profile, sample.bridges) == (profile_of("ada"), 5, 2)
    assert sample.markdown.count("####") == 2
    assert "\n  - e-mail" in sample.markdown


def test_values_are_masked(ada_and_ben):
    told = sample_explanation(ada_and_ben.warehouse, 5).markdown
    assert [value for value in values() if value in told] == []


def test_a_town_of_strangers_has_nothing_to_explain(town):
    town.person("alone", ("user_id", "u-1"))
    assert "nobody has more than one" in sample_explanation(town.warehouse, 3).markdown


def test_the_check_shows_it_and_blocks_nothing(ada_and_ben, cdp_home):
    (spec,) = explain_identity.check_specs
    assert (spec.asset_key, spec.blocking) == (dg.AssetKey(["identity", "profile_identifiers"]), False)
    with dg.DagsterInstance.ephemeral() as instance:
        result = _execute(instance)
    (evaluation,) = result.get_asset_check_evaluations()
    assert evaluation.passed
    assert set(evaluation.metadata) == {"explanations", "largest_profile", "largest_profile_id", "bridges"}


def _execute(instance):
    asset = dg.AssetSpec(["identity", "profile_identifiers"])
    job = dg.define_asset_job("checks", selection=dg.AssetSelection.all_asset_checks())
    defs = dg.Definitions(assets=[asset], asset_checks=[explain_identity], jobs=[job])
    return defs.resolve_job_def("checks").execute_in_process(instance=instance)
