"""The asset graph that `dagster dev` shows."""

import dagster as dg
import pytest

STAGES = ["raw", "staging", "identity", "profiles", "audiences", "activation", "ops"]


@pytest.fixture(scope="module")
def definitions():
    from dagster_cdp.definitions import definitions

    return definitions()


@pytest.fixture(scope="module")
def specs(definitions):
    return {spec.key: spec for spec in definitions.resolve_all_asset_specs()}


def test_groups_are_the_stages(specs):
    assert {spec.group_name for spec in specs.values()} == set(STAGES)


def test_keys_are_schema_and_table(specs):
    assert dg.AssetKey(["raw", "web_orders__orders"]) in specs
    assert dg.AssetKey(["profiles", "profiles"]) in specs
    assert dg.AssetKey(["activation", "vip_to_sandbox"]) in specs
    assert all(len(key.path) == 2 for key in specs)


def test_every_asset_is_described(specs):
    assert [key.to_user_string() for key, spec in specs.items() if not spec.description] == []


def test_public_assets_have_owners(specs):
    for key, spec in specs.items():
        if spec.group_name in {"raw", "audiences"}:
            assert spec.owners, key


def test_every_model_shows_its_columns(specs):
    shown = [
        key
        for key, spec in specs.items()
        if spec.group_name in STAGES[1:5] and "dagster/column_schema" in spec.metadata
    ]
    assert len(shown) >= 50


def test_everything_but_reference_lists_reacts_by_itself(definitions, specs):
    silent = {key.path[-1] for key, spec in specs.items() if spec.automation_condition is None}
    seeds = {file.stem for file in _seeds()}
    assert silent <= seeds | {"live_loop"}  # which reports itself


def test_edges_point_downstream(specs):
    """An asset never depends on a later stage; ops watches and may read any."""
    for key, spec in specs.items():
        if spec.group_name == "ops":
            continue
        for dependency in spec.deps:
            upstream = specs[dependency.asset_key]
            assert STAGES.index(upstream.group_name) <= STAGES.index(spec.group_name), key


def test_there_is_one_sensor_and_it_is_on(definitions):
    [sensor] = definitions.sensors
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert not definitions.schedules


def test_gates_block_at_both_borders(definitions):
    gates = [spec for checks in definitions.asset_checks for spec in checks.check_specs if spec.name == "gate"]
    assert {spec.asset_key.path[0] for spec in gates} == {"raw", "audiences"}
    assert all(spec.blocking for spec in gates)


def test_every_audience_that_leaves_has_a_gate(definitions, specs):
    gated = {
        spec.asset_key for checks in definitions.asset_checks for spec in checks.check_specs if spec.name == "gate"
    }
    for key, spec in specs.items():
        if spec.group_name == "activation":
            assert any(dependency.asset_key in gated for dependency in spec.deps), key


def test_telemetry_is_off(tmp_path, monkeypatch):
    from dagster_cdp.home import make_home

    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    assert "telemetry:\n  enabled: false" in (make_home() / "dagster.yaml").read_text()


def _seeds():
    from dagster_cdp import dbt

    return (dbt.FOLDER / "seeds").glob("*.csv")
