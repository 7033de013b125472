"""What is judged: the loads that are new, or the whole table when its content is another."""

import itertools

import pytest

from dagster_cdp.gates import Suite, judge

RAW, AUDIENCE = "raw.shop__orders", "audiences.fans"
NOT_NULL = {"expect": "ExpectColumnValuesToNotBeNull", "column": "id", "why": "the key"}
NO_STRANGERS = {
    "expect": "UnexpectedRowsExpectation",
    "unexpected_rows_query": f"select 1 as found from batch where profile_id not in (select id from {RAW})",
    "why": "fans have bought",
}


def suite_on(table, *items):
    batch = "load" if table == RAW else "table"
    return Suite(table=table, owner="o", description="d", batch=batch, expectations=items or (NOT_NULL,))


def rows(count):
    return [(f"o{number}", "ann@example.com") for number in range(count)]


MANY = rows(100)


def test_without_a_new_load_nothing_is_judged_again(shop, clerk):
    shop.land("1.0", MANY)
    first = judge(suite_on(RAW), shop.warehouse)
    again = judge(suite_on(RAW), shop.warehouse)
    assert (first.reused, again.reused) == (False, True)
    assert (again.gate_id, again.batch_id, again.is_passed) == (first.gate_id, "1.0..1.0", True)
    assert len(clerk.shown) == len(shop.verdict_rows()) == 1


def test_a_new_load_is_judged_without_the_old_ones(shop, clerk):
    shop.land("1.0", MANY)
    judge(suite_on(RAW), shop.warehouse)
    shop.land("2.0", MANY)
    shop.land("3.0", MANY)
    verdict = judge(suite_on(RAW), shop.warehouse)
    assert (verdict.batch_id, verdict.row_count) == ("2.0..3.0", 2 * len(MANY))
    assert len(shop.warehouse.execute(clerk.shown[-1].query)) == 2 * len(MANY)


def test_a_small_load_is_judged_alone(shop, clerk):
    """A day that isn't what was agreed would drown in the year before it."""
    shop.land("1.0", MANY)
    judge(suite_on(RAW), shop.warehouse)
    shop.land("2.0", rows(1))
    verdict = judge(suite_on(RAW), shop.warehouse)
    assert (verdict.batch_id, verdict.row_count) == ("2.0..2.0", 1)


def test_a_load_that_never_ended_does_not_count(shop, clerk):
    shop.land("1.0", MANY)
    shop.land("2.0", MANY, status=1)
    assert judge(suite_on(RAW), shop.warehouse).batch_id == "1.0..1.0"
    assert len(shop.warehouse.execute(clerk.shown[0].query)) == len(MANY)


def test_an_empty_source_is_judged_as_empty_once(shop, clerk):
    verdicts = [judge(suite_on(RAW), shop.warehouse) for _ in range(2)]
    assert [(v.batch_id, v.row_count, v.reused) for v in verdicts] == [
        ("empty", 0, False),
        ("empty", 0, True),
    ]


def test_an_audience_is_known_by_its_content_in_any_order(shop, clerk):
    fans = [("p1", "ann@example.com"), ("p2", None), ("p2", None)]
    shop.build(fans)
    first = judge(suite_on(AUDIENCE), shop.warehouse)
    for order in itertools.permutations(fans):
        shop.build(order)
        assert judge(suite_on(AUDIENCE), shop.warehouse).batch_id == first.batch_id
    assert len(clerk.shown) == 1


@pytest.mark.parametrize(
    "other",
    [
        [("p1", "ann@example.com"), ("p2", "")],
        [("p1", "ann@example.com"), ("p2", "~")],
        [("p1", None), ("p2", "ann@example.com")],
        [("p1", "ann@example.com")],
        [("p1", "ann@example.com"), ("p2", None), ("p2", None)],
    ],
)
def test_any_other_content_is_another_batch(shop, clerk, other):
    shop.build([("p1", "ann@example.com"), ("p2", None)])
    first = judge(suite_on(AUDIENCE), shop.warehouse)
    shop.build(other)
    second = judge(suite_on(AUDIENCE), shop.warehouse)
    assert second.batch_id != first.batch_id
    assert not second.reused


def test_an_audience_is_judged_anew_when_another_table_contradicts_it(shop, clerk):
    """The same people, but one of them has bought since."""
    suite = suite_on(AUDIENCE, NO_STRANGERS)
    shop.land("1.0", [("p1", None)])
    shop.build([("p1", None)])
    judge(suite, shop.warehouse)
    assert judge(suite, shop.warehouse).reused
    shop.warehouse.execute(f"delete from {RAW}")
    assert not judge(suite, shop.warehouse).reused
