"""The floors of the accuracy benchmark."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.agreement import Agreement
from tests.benchmarks.clustering import agreement, group
from tests.benchmarks.demo_people import People, compare, links_right, measure
from tests.benchmarks.identity_accuracy import (
    measure_febrl,
    measure_historical,
    measure_tutorial,
    reference_data,
)

HOME = Path(os.environ.get("CDP_HOME", Path(__file__).parents[2] / ".cdp"))


@pytest.fixture(scope="module")
def data() -> Path:
    pytest.importorskip("splink", reason="needs the extra `matching`")
    if (folder := reference_data()) is None:
        pytest.skip("needs CDP_REFERENCE_DATA, the folder with er_febrl and er_splink")
    return folder


@pytest.mark.reference_data
@pytest.mark.parametrize(("with_number", "least"), [(False, 0.998), (True, 0.999)])
def test_febrl_records_are_grouped_almost_without_error(data, with_number, least):
    assert measure_febrl(data, with_number=with_number).f1 >= least


@pytest.mark.reference_data
@pytest.mark.whole
def test_historical_figures_are_grouped_at_least_as_well_as_by_splink_s_tutorial(data):
    assert measure_historical(data).f1 >= measure_tutorial(data).f1


@pytest.mark.skipif(
    not ((HOME / "warehouse.duckdb").exists() and (HOME / "truth" / "identifiers.csv").exists()),
    reason="needs the demo, loaded and built: CDP_HOME with warehouse.duckdb and truth/",
)
def test_probable_links_find_more_of_the_demo_s_people_and_stay_right():
    found = measure(HOME)
    alone, both = found["records alone"], found["and both"]
    assert both.recall >= alone.recall + 0.03
    assert min(alone.precision, both.precision) >= 0.99
    for known, right in links_right(HOME).values():
        assert right >= 0.98 * known > 0


def test_f1_counts_pairs():
    assert Agreement(together=3, true=1, both=1).f1 == 0.5


def test_groups_come_from_the_project_s_own_components():
    import duckdb

    with duckdb.connect() as connection:
        group(connection, "select * from (values (1, 2), (2, 3), (4, 5)) as links(left_node_id, right_node_id)")
        nodes = (
            "select * from (values (1, 'a'), (2, 'a'), (3, 'a'), (4, 'b'), (5, 'c'), (6, 'b')) as t(node_id, person_id)"
        )
        assert agreement(connection, nodes) == Agreement(together=4, true=4, both=3)


def test_nobody_gets_two_logins_by_a_probable_link():
    first_login, second_login, cookie = 1, 2, 10 << 59
    people = People([first_login, second_login, cookie])
    people.join(first_login, cookie)
    people.join(second_login, cookie)
    assert people.find(first_login) == people.find(cookie) != people.find(second_login)


def test_shared_identifiers_join_only_by_decision():
    email, phone = (4 << 59) + 1, (6 << 59) + 1
    names = [(1, ("user_id", "ada")), (email, ("email", "a@example.com")), (phone, ("phone", "1"))]
    truth = {identifier: "ada" for _, identifier in names}
    assert compare(names, {email}, [(6, 1, email), (0, email, phone)], truth).together == 1
