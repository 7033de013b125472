"""The suite of abandoned carts, as it is in force: who should not be written to is found before they are."""

import pytest

from dagster_cdp.gates import judge, suite_of

MEMBER = {
    "profile_id": "p1", "email": "ann@example.com", "phone": "+12015550108", "first_name": "Ann",
    "last_name": "O'Neil-Null", "country_code": "US", "abandoned_at": "2026-11-22 09:00:00",
}  # fmt: skip
ABANDONERS = "audiences.cart_abandoners"


@pytest.fixture
def abandoners(shop, monkeypatch):
    """The audience whose suite is in force, with one member who is as expected."""
    monkeypatch.setenv("CDP_NOW", "2026-11-23T09:00:00")
    columns = ", ".join(f"{name} {'timestamp' if name.endswith('_at') else 'varchar'}" for name in MEMBER)
    shop.warehouse.execute(f"create table {ABANDONERS} ({columns})")
    shop.warehouse.execute("create schema profiles")
    shop.warehouse.execute(
        "create table profiles.orders (profile_id varchar, ordered_at timestamp, is_cancelled boolean)"
    )

    def judged():
        verdict = judge(suite_of(ABANDONERS), shop.warehouse)
        return verdict.is_passed, [str(finding) for finding in verdict.failed]

    def judged_with(**changes):
        shop.warehouse.execute(f"delete from {ABANDONERS}")
        for member in (MEMBER, MEMBER | {"profile_id": "p2"} | changes):
            shop.warehouse.execute(
                f"insert into {ABANDONERS} values (?, ?, ?, ?, ?, ?, cast(? as timestamp))",
                list(member.values()),
            )
        return judged()

    shop.judged, shop.judged_with = judged, judged_with
    return shop


def test_an_audience_as_it_should_be_may_leave(abandoners):
    assert abandoners.judged_with() == (True, [])


@pytest.mark.parametrize("name", ["[First_Name]", "{{ first_name }}", "%%FIRST_NAME%%", "null", "Undefined", "<b>Ann"])
def test_a_placeholder_in_place_of_a_name_is_red(abandoners, name):
    """Nobody wants a letter that begins with Dear [First_Name]."""
    expected = "ExpectColumnValuesToNotMatchRegex first_name: 1 of 2"
    assert abandoners.judged_with(first_name=name) == (False, [expected])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"profile_id": "p1"}, "ExpectColumnValuesToBeUnique profile_id: 2 of 2"),
        ({"profile_id": None}, "ExpectColumnValuesToNotBeNull profile_id: 1 of 2"),
        ({"country_code": "USA"}, "ExpectColumnValueLengthsToEqual country_code: 1 of 2"),
        ({"email": None, "phone": None}, "UnexpectedRowsExpectation (table): 1 of 2"),
    ],
)
def test_a_member_who_should_not_leave_is_red(abandoners, change, expected):
    assert abandoners.judged_with(**change) == (False, [expected])


def test_an_audience_that_is_red_because_of_an_order_turns_red_without_changing(abandoners):
    assert abandoners.judged_with() == (True, [])
    abandoners.warehouse.execute("insert into profiles.orders values ('p2', timestamp '2026-11-22 10:00:00', false)")
    assert abandoners.judged() == (False, ["UnexpectedRowsExpectation (table): 1 of 2"])
