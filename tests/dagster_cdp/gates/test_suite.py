"""A suite is refused with the file, the place and what to write; a suite in force says what it says."""

from datetime import date, datetime

import pytest
import yaml

from dagster_cdp.gates import BadSuite, all_suites, load_suite, suite_of
from sources.source import all_sources

UNIQUE = "ExpectColumnValuesToBeUnique"
GOOD = {
    "owner": "crm@cdp.example",
    "description": "Fans.",
    "batch": "table",
    "expectations": [{"expect": UNIQUE, "column": "profile_id", "why": "one each"}],
}
NOW = datetime.fromisoformat("2026-11-23T09:00:00")


def written(folder, content, name="audiences.fans.yml"):
    path = folder / name
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


def expecting(**item):
    return GOOD | {"expectations": [{"why": "because", **item}]}


def test_the_file_name_is_the_table(tmp_path):
    assert load_suite(written(tmp_path, GOOD)).table == "audiences.fans"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (GOOD | {"colour": "red"}, "colour: Extra inputs are not permitted"),
        ({k: v for k, v in GOOD.items() if k != "owner"}, "owner: Field required"),
        (GOOD | {"batch": "day"}, "batch: Input should be 'load' or 'table'"),
        (GOOD | {"expectations": []}, "expectations: Tuple should have at least 1 item"),
        (expecting(expect="ExpectColumnMaxToBeBetween"), "'ExpectColumnMaxToBeBetween' is not one of"),
        (expecting(expect=UNIQUE), "ExpectColumnValuesToBeUnique needs column"),
        (expecting(expect="ExpectColumnValuesToBeBetween", column="a"), "needs min_value, max_value or both"),
        (expecting(expect="ExpectTableRowCountToBeBetween", min_value=1, mostly=0.5), "has no mostly"),
        (expecting(expect=UNIQUE, column="a", regex="b"), "has no regex"),
        (expecting(expect=UNIQUE, column="a", mostly=1), "mostly: Input should be less than 1"),
        (expecting(expect=UNIQUE, column="a", severity="bad"), "expectations.1.severity"),
        (
            expecting(expect="UnexpectedRowsExpectation", unexpected_rows_query="select email from batch"),
            "rows are counted, not fetched",
        ),
        ("owner: [", "not YAML"),
        ("just words", "write owner, description, batch and expectations"),
        (GOOD | {"table": "audiences.fans"}, "the file name is the table"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_file_place_and_remedy(tmp_path, content, complaint):
    with pytest.raises(BadSuite) as refusal:
        load_suite(written(tmp_path, content))
    assert str(refusal.value).startswith("audiences.fans.yml: ")
    assert complaint in str(refusal.value)


def test_every_fault_of_a_file_is_named_at_once(tmp_path):
    with pytest.raises(BadSuite, match=r"owner: .*batch: "):
        load_suite(written(tmp_path, {"description": "Fans.", "expectations": GOOD["expectations"]}))


def test_a_file_that_is_no_table_is_refused(tmp_path):
    with pytest.raises(BadSuite, match=r"name the file <schema>.<table>.yml"):
        load_suite(written(tmp_path, GOOD, "audiences.fans.of.us.yml"))


def test_the_severity_of_the_file_holds_where_an_expectation_names_none(tmp_path):
    items = [*GOOD["expectations"], GOOD["expectations"][0] | {"severity": "critical"}]
    suite = load_suite(written(tmp_path, GOOD | {"severity": "warning", "expectations": items}))
    assert [item.severity for item in suite.expectations] == ["warning", "critical"]


def test_only_what_can_change_a_verdict_changes_the_hash(tmp_path):
    def hash_of(content):
        return load_suite(written(tmp_path, content)).content_hash

    first = hash_of(GOOD)
    reworded = GOOD["expectations"][0] | {"why": "said better"}
    assert hash_of(GOOD | {"owner": "else@cdp.example", "description": "Others.", "expectations": [reworded]}) == first
    assert hash_of(GOOD | {"expectations": [reworded | {"severity": "warning"}]}) != first
    assert hash_of(GOOD | {"batch": "load"}) != first


def test_days_and_now_become_moments(tmp_path):
    item = {"column": "at", "min_value": date(2000, 1, 1), "max_value": "now"}
    suite = load_suite(written(tmp_path, expecting(expect="ExpectColumnValuesToBeBetween", **item)))
    bounds = suite.expectations[0].bounds_at(NOW)
    assert bounds["min_value"].isoformat() == "2000-01-01T00:00:00"
    assert bounds["max_value"].isoformat() == "2026-11-24T09:00:00"


def test_a_table_without_a_suite_is_answered_with_those_that_have_one(tmp_path):
    written(tmp_path, GOOD)
    with pytest.raises(BadSuite, match=r"audiences.foes has no gate: .* holds audiences.fans"):
        suite_of("audiences.foes", tmp_path)


def test_the_suites_of_the_project_are_listed_by_border():
    assert {suite.schema_name for suite in all_suites()} == {"raw", "audiences"}
    assert {suite.batch for suite in all_suites("raw")} == {"load"}
    assert {suite.batch for suite in all_suites("audiences")} == {"table"}


def test_a_suite_on_raw_asks_only_for_columns_that_the_connector_declares():
    declared = {
        f"raw.{source.raw_name(table)}": {column.name for column in table.columns}
        for source in all_sources()
        for table in source.tables
    }
    for suite in all_suites("raw"):
        asked = {item.column for item in suite.expectations if item.column}
        assert asked <= declared[suite.table], suite.table


def test_a_suite_on_raw_notices_a_renamed_key():
    keys = {f"raw.{source.raw_name(table)}": set(table.key) for source in all_sources() for table in source.tables}
    for suite in all_suites("raw"):
        never_null = {i.column for i in suite.expectations if i.expect == "ExpectColumnValuesToNotBeNull"}
        assert keys[suite.table] <= never_null, suite.table
