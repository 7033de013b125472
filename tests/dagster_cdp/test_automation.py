"""New raw data flows down by itself; a source read without news moves nothing."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

# of a parameter that dagster passes to itself
pytestmark = pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning")

RAW = dg.AssetKey(["raw", "web_orders__orders"])
STAGED = dg.AssetKey(["staging", "stg_web_orders__orders"])


@pytest.fixture(scope="module")
def definitions():
    from dagster_cdp.definitions import definitions

    return definitions()


@pytest.fixture
def line(definitions):
    """An instance on which everything has been materialised once."""
    with dg.DagsterInstance.ephemeral() as instance:
        keys = [spec.key for spec in definitions.resolve_all_asset_specs()]
        now = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
        first = evaluate(definitions, instance, None, now)
        for key in keys:
            version = {"dagster/data_version": "1 rows"} if key.path[0] == "raw" else {}
            instance.report_runless_asset_event(dg.AssetMaterialization(key, tags=version))
        yield Line(definitions, instance, evaluate(definitions, instance, first.cursor, now).cursor, now)


class Line:
    def __init__(self, definitions, instance, cursor, now):
        self.definitions, self.instance, self.cursor, self.now = definitions, instance, cursor, now

    def load(self, rows):
        """Report that the source was read and the table now has so many rows."""
        self.instance.report_runless_asset_event(
            dg.AssetMaterialization(RAW, tags={"dagster/data_version": f"{rows} rows"})
        )

    def requested(self, minutes=1):
        self.now += timedelta(minutes=minutes)
        result = evaluate(self.definitions, self.instance, self.cursor, self.now)
        self.cursor = result.cursor
        keys = (spec.key for spec in self.definitions.resolve_all_asset_specs())
        # Sources are asked for by their clock, whatever happens.
        return {key for key in keys if key.path[0] != "raw" and result.get_num_requested(key)}


def evaluate(definitions, instance, cursor, now):
    return dg.evaluate_automation_conditions(definitions, instance, cursor=cursor, evaluation_time=now)


def test_nothing_new_requests_nothing(line):
    assert line.requested() == set()


def test_a_new_row_requests_all_that_depends_on_it(line):
    line.load(rows=2)
    requested = line.requested()
    assert {STAGED, dg.AssetKey(["profiles", "orders"]), dg.AssetKey(["audiences", "vip"])} <= requested
    assert dg.AssetKey(["staging", "stg_products__products"]) not in requested


def test_a_source_read_without_news_requests_nothing(line):
    line.load(rows=1)
    assert line.requested() == set()


def test_audiences_are_looked_at_again_on_a_new_day(line):
    assert line.requested(minutes=60) == set()
    assert {key.path[0] for key in line.requested(minutes=24 * 60)} >= {"audiences"}
