"""Great Expectations on our warehouse: what is broken is found, and no value of the data comes out."""

import importlib
import logging
import math
import subprocess
import sys

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_cdp import expect
from dagster_cdp.gates import Suite, judge, judge_all
from sources.configuration import read_configuration

RAW, AUDIENCE = "raw.shop__orders", "audiences.fans"
CANARY = "canary.bird@example.com"
GOOD = [(f"o{number}", f"ann{number}@example.com") for number in range(50)]


def suite_on(table, *items):
    why = [{"why": "because", **item} for item in items]
    batch = "load" if table == RAW else "table"
    return Suite(table=table, owner="crm@cdp.example", description="d", batch=batch, expectations=why)


def found(verdict):
    return [str(finding) for finding in verdict.failed]


THERE = {"expect": "ExpectColumnValuesToNotBeNull", "column": "id", "mostly": 0.95}


def test_a_renamed_column_is_red(shop):
    """The source sends order_id now, so the declared id is null in every row."""
    shop.land("1.0", GOOD)
    assert judge(suite_on(RAW, THERE), shop.warehouse).is_passed
    shop.land("2.0", [(None, email) for _, email in GOOD] * 2)
    verdict = judge(suite_on(RAW, THERE), shop.warehouse)
    assert (verdict.is_passed, found(verdict)) == (False, ["ExpectColumnValuesToNotBeNull id: 100 of 100"])


def test_only_the_new_load_is_looked_at(shop):
    shop.land("1.0", [(None, None)] * 200)
    judge(suite_on(RAW, THERE), shop.warehouse)
    shop.land("2.0", GOOD * 2)
    assert judge(suite_on(RAW, THERE), shop.warehouse).is_passed


def test_a_table_without_rows_breaks_nothing(shop):
    """Nothing has been refused yet, say: of no rows the library counts nothing rather than zero."""
    shop.land("1.0", [])
    verdict = judge(suite_on(RAW, THERE), shop.warehouse)
    assert (verdict.is_passed, verdict.row_count, verdict.crashed) == (True, 0, None)


def test_a_handful_of_bad_rows_is_left_to_quarantine(shop):
    shop.land("1.0", [*GOOD[:6], (None, None), (None, None), (None, None)])
    verdict = judge(suite_on(RAW, THERE), shop.warehouse)
    assert (verdict.is_passed, verdict.row_count) == (True, 9)
    [finding] = verdict.findings
    assert (finding.unexpected, finding.of) == (3, 9), "they are counted all the same"


@pytest.mark.parametrize(("rows", "is_passed"), [(1, True), (4, True), (5, False), (50, False)])
def test_a_load_of_a_few_rows_is_not_judged_by_its_luck(shop, rows, is_passed):
    """One row says nothing of a table in which one in twenty may be bad; five bad ones of five do."""
    shop.land("1.0", [(None, None)] * rows)
    assert judge(suite_on(RAW, THERE), shop.warehouse).is_passed is is_passed


@given(of=st.integers(1, 120), share=st.floats(0, 1), rate=st.floats(0.01, 0.99))
def test_the_chance_of_bad_rows_is_never_understated(of, share, rate):
    """Against the exact tail of the binomial distribution."""
    bad = round(share * of)
    exact = sum(math.comb(of, k) * rate**k * (1 - rate) ** (of - k) for k in range(bad, of + 1))
    assert expect.chance(bad, of, rate) >= exact * (1 - 1e-9)
    if bad == of:
        assert expect.chance(bad, of, rate) == pytest.approx(rate**of)


def test_without_mostly_a_single_row_is_too_many(shop):
    shop.build([("p1", None), ("p1", None), *GOOD])
    verdict = judge(
        suite_on(AUDIENCE, {"expect": "ExpectColumnValuesToBeUnique", "column": "profile_id"}), shop.warehouse
    )
    assert found(verdict) == ["ExpectColumnValuesToBeUnique profile_id: 2 of 52"]


@pytest.mark.parametrize(
    ("expectation", "arguments", "expected"),
    [
        ("ExpectTableRowCountToBeBetween", {"min_value": 4}, "(table): 3 of 3"),
        ("ExpectColumnValuesToBeInSet", {"column": "profile_id", "value_set": ["p1"]}, "profile_id: 1 of 3"),
        ("ExpectColumnValuesToMatchRegex", {"column": "email", "regex": "^[^@]+@"}, "email: 1 of 3"),
        ("ExpectColumnValuesToNotMatchRegex", {"column": "email", "regex": r"(?i)\{\{"}, "email: 1 of 3"),
        ("ExpectColumnValueLengthsToEqual", {"column": "profile_id", "value": 2}, "profile_id: 1 of 3"),
    ],
)
def test_each_kind_of_expectation_counts_in_the_warehouse(shop, expectation, arguments, expected):
    shop.build([("p1", CANARY), ("p1", CANARY), ("p22", "{{ email }}")])
    verdict = judge(suite_on(AUDIENCE, {"expect": expectation, **arguments}), shop.warehouse)
    assert found(verdict) == [f"{expectation} {expected}"]


def test_a_moment_out_of_range_is_counted(shop, monkeypatch):
    monkeypatch.setenv("CDP_NOW", "2026-11-23T09:00:00")
    shop.warehouse.execute("create table raw.shop__visits (seen_at timestamp, _dlt_load_id varchar)")
    shop.land("1.0", [])
    for moment in ("1970-01-01 00:00:00", "2026-11-24 08:59:00", "2026-11-24 09:01:00"):
        shop.warehouse.execute("insert into raw.shop__visits values (cast(? as timestamp), '1.0')", [moment])
    item = {
        "expect": "ExpectColumnValuesToBeBetween",
        "column": "seen_at",
        "min_value": "2000-01-01",
        "max_value": "now",
    }
    suite = suite_on("raw.shop__visits", item).model_copy(update={"batch": "load"})
    verdict = judge(suite, shop.warehouse)
    assert verdict.crashed is None
    assert found(verdict) == ["ExpectColumnValuesToBeBetween seen_at: 2 of 3"]


@pytest.mark.parametrize("join", ["", " inner join raw.shop__orders as orders on orders.id = batch.profile_id"])
def test_our_own_sql_may_name_the_batch_the_clock_and_other_tables(shop, join):
    shop.land("1.0", [("p1", None), ("p2", None)])
    shop.build([("p1", "{x}"), ("p2", None)])
    question = f"select 1 as found from batch{join} where batch.email = '{{x}}' and {{now}} > timestamp '2020-01-01'"
    verdict = judge(
        suite_on(AUDIENCE, {"expect": "UnexpectedRowsExpectation", "unexpected_rows_query": question}),
        shop.warehouse,
    )
    assert found(verdict) == ["UnexpectedRowsExpectation (table): 1 of 2"]


def test_no_value_of_the_data_comes_out(shop, caplog, capfd):
    """Whatever fails and however: verdicts, logs and output hold names and counts."""
    shop.build([(CANARY, CANARY), (CANARY, CANARY)])
    failing = [
        {"expect": "ExpectColumnValuesToBeUnique", "column": "profile_id"},
        {"expect": "ExpectColumnValuesToNotMatchRegex", "column": "email", "regex": "@"},
        {"expect": "ExpectColumnValuesToBeInSet", "column": "email", "value_set": ["nobody"]},
        {
            "expect": "UnexpectedRowsExpectation",
            "unexpected_rows_query": "select 1 as found from batch where email > ''",
        },
    ]
    crashing_late = {"expect": "ExpectColumnValuesToNotBeNull", "column": "birth_on"}
    casting = "select 1 as found from batch where cast(email as integer) = 1"
    crashing_early = {"expect": "UnexpectedRowsExpectation", "unexpected_rows_query": casting}
    with caplog.at_level(logging.DEBUG):
        verdicts = judge_all(
            [
                suite_on(AUDIENCE, *failing),
                suite_on(AUDIENCE, crashing_late),
                suite_on(AUDIENCE, crashing_early),
            ],
            shop.warehouse,
        )
    assert [len(verdict.failed) for verdict in verdicts] == [4, 0, 0]
    assert verdicts[1].crashed.startswith("ExpectColumnValuesToNotBeNull on birth_on: ")
    assert verdicts[2].crashed.startswith(("ConversionException at ", "InvalidTextRepresentation at "))
    output = capfd.readouterr()
    everything = [repr(verdicts), repr(shop.verdict_rows()), caplog.text, output.out, output.err]
    assert not any("canary" in text for text in everything)
    assert "it/s" not in output.err, "no progress bars"


def test_an_engine_error_inside_the_library_is_a_kind_not_a_text(shop, caplog):
    """A question that the fingerprint never asks: it fails only where the library runs it."""
    shop.land("1.0", [(CANARY, CANARY)])
    casting = "select 1 as found from batch where cast(email as integer) = 1"
    item = {"expect": "UnexpectedRowsExpectation", "unexpected_rows_query": casting}
    verdict = judge(suite_on(RAW, item), shop.warehouse)
    assert not verdict.is_passed
    assert verdict.crashed.startswith("UnexpectedRowsExpectation on (table): ")
    assert "canary" not in verdict.crashed + caplog.text


def test_the_file_is_free_again_when_judging_ends(shop):
    shop.build([("p1", None)])
    judge(suite_on(AUDIENCE, {"expect": "ExpectColumnValuesToBeUnique", "column": "profile_id"}), shop.warehouse)
    if read_configuration().target == "duckdb":
        shop.warehouse.close()
        with duckdb.connect(read_configuration().warehouse, read_only=True) as alone:
            assert alone.execute("select count(*) from ops.gate_results").fetchall() == [(1,)]


def test_charts_and_distributions_are_not_loaded():
    """2.3 of 6.6 CPU seconds of the import, for what no gate asks for."""
    program = (
        "import sys; from dagster_cdp.expect import great_expectations; great_expectations();"
        "assert 'altair.vegalite' not in sys.modules and 'scipy.stats._stats_py' not in sys.modules;"
        "import altair; assert altair.Chart, 'what is needed after all loads when it is used'"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_library_still_lacks_a_duckdb_datasource():
    """When this fails, the library brings its own: delete ours and use that."""
    expect.great_expectations()
    sources = importlib.import_module("great_expectations.datasource.fluent.sources")
    engine = importlib.import_module("great_expectations.execution_engine.sqlalchemy_execution_engine")

    assert "duckdb" not in {str(dialect.value) for dialect in engine._PERSISTED_CONNECTION_DIALECTS}
    expect.register_duckdb()
    registered = sources.DataSourceManager.type_lookup["duckdb"]
    assert registered.__module__ == "dagster_cdp.expect"
