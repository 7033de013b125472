"""The rules that choose a profile's values are reviewed configuration: what they can't mean is refused by name."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from raw_world import Statement, World

SEEDS = ["survivorship_orders", "survivorship_rules"]
TABLES = {
    "told_attributes": "profile_id text, attribute text, attribute_value text, source text, record_id text,"
    " told_at timestamp, _batch bigint",
    "verified_contacts": "contact_type text, contact_key text, _batch bigint",
}
Told = tuple[str, str, str, str, str, str | None]
STORY: list[Told] = [
    # Zoe before ada before Ädä: bytes, not letters
    ("p1", "city", "ada", "crm", "c1", "2026-01-01 00:00:00"),
    ("p1", "city", "Zoe", "crm", "c2", "2026-01-01 00:00:00"),
    ("p1", "city", "Ädä", "crm", "c3", "2026-01-01 00:00:00"),
    # a moment that nobody knows is the oldest
    ("p2", "city", "Oslo", "crm", "c4", None),
    ("p2", "city", "Rome", "crm", "c5", "2026-01-01 00:00:00"),
    # the telephone that rang
    ("p3", "phone", "+11", "crm", "c6", "2026-02-01 00:00:00"),
    ("p3", "phone", "+12", "support", "s1", "2026-01-01 00:00:00"),
    # three tell of Ann, one mistypes her
    ("p4", "first_name", "Amn", "crm", "c7", "2026-02-01 00:00:00"),
    ("p4", "first_name", "Ann", "web_orders", "o1", "2026-01-01 00:00:00"),
    ("p4", "first_name", "Ann", "support", "s2", "2026-01-01 00:00:00"),
]
TELL = "insert into profiles.told_attributes values (?, ?, ?, ?, ?, ?, 1)"
SURVIVORS = [
    ("p1", "Zoe", "c2", "tie", 3, False),
    ("p2", "Rome", "c5", "recency", 2, False),
    ("p3", "+12", "s1", "verified", 2, True),
    ("p4", "Ann", "o1", "frequency", 2, False),
]


def plant(world: World, told: Iterable[Told] = ()) -> None:
    """The seeds, and what is told of profiles."""
    world.dbt("seed", "--select", *SEEDS)
    tables: list[Statement] = [(f"create table profiles.{name} ({columns})", ()) for name, columns in TABLES.items()]
    tables += [
        ("create schema if not exists identity", ()),
        ("create table identity.touched_profiles (profile_id text, _batch bigint)", ()),
        ("create table identity.read_marks (reader text, model text, batch bigint)", ()),
    ]
    rows: list[Statement] = [(TELL, row) for row in told]
    world.execute([*tables, *rows, ("insert into profiles.verified_contacts values ('phone', '+12', 1)", ())])


def survivors(world: World) -> list[tuple[object, ...]]:
    world.dbt("run", "--select", "attribute_candidates", "profile_attributes")
    return world.query(
        "select profile_id, attribute_value, record_id, rule, candidate_count, is_verified"
        " from profiles.profile_attributes order by profile_id"
    )


def test_each_rule_decides_where_it_comes_first(world):
    plant(world, STORY)
    assert survivors(world) == SURVIVORS


@pytest.mark.postgres
def test_each_rule_decides_where_it_comes_first_on_postgres(postgres_world):
    plant(postgres_world, STORY)
    assert survivors(postgres_world) == SURVIVORS


def test_a_number_of_a_build_that_was_read_is_not_given_again_when_its_rows_are_gone(world):
    plant(world, STORY)
    survivors(world)
    world.execute([
        ("insert into identity.read_marks values ('profiles', 'attribute_candidates', 7)", ()),
        ("insert into identity.touched_profiles values ('p1', 2)", ()),
    ])  # fmt: skip
    survivors(world)
    assert world.query("select max(_batch) from profiles.attribute_candidates") == [(8,)]


def test_of_whom_something_changed_what_is_told_now_survives_and_of_whom_nothing_is_told_nothing(world):
    plant(world, STORY)
    survivors(world)
    survivors(world)  # an increment, which notes what it has read
    world.execute([
        ("delete from profiles.told_attributes where profile_id in ('p2', 'p3')", ()),
        ("insert into profiles.told_attributes values ('p2', 'city', 'Bern', 'crm', 'c5', null, 2)", ()),
        ("insert into identity.touched_profiles values ('p2', 2), ('p3', 2)", ()),
        ("insert into identity.read_marks values ('told_attributes', 'touched_profiles', 2)", ()),
    ])  # fmt: skip
    assert survivors(world) == [SURVIVORS[0], ("p2", "Bern", "c5", "only_value", 1, False), SURVIVORS[3]]


def test_who_changed_while_what_is_told_lags_behind_loses_nothing(world):
    plant(world, STORY)
    survivors(world)
    survivors(world)  # as above
    world.execute([("insert into identity.touched_profiles values ('p1', 2), ('p4', 2)", ())])
    assert survivors(world) == SURVIVORS


@pytest.mark.parametrize(
    ("mistake", "test"),
    [
        ("update profiles.survivorship_orders set third_rule = 'newest' where attribute = 'email'",
         "accepted_values_survivorship_orders_third_rule__verified__source_priority__recency__frequency"),
        ("update profiles.survivorship_orders set attribute = 'e_mail' where attribute = 'email'",
         "accepted_values_survivorship_orders_attribute__user_id__loyalty_number__email"),
        ("update profiles.survivorship_rules set attribute = 'shoe_size' where attribute = 'city' and source = 'crm'",
         "accepted_values_survivorship_rules_attribute__user_id__loyalty_number__email"),
        ("update profiles.survivorship_rules set source = 'crn' where attribute = 'email' and source = 'crm'",
         "accepted_values_survivorship_rules_source__crm__loyalty_members__web_orders__support__identity"),
        ("delete from profiles.survivorship_rules where attribute = 'city' and source = 'crm'",
         "assert_every_told_attribute_has_rules"),
    ],
)  # fmt: skip
def test_configuration_that_means_nothing_is_refused_by_a_test_that_names_what_may_be_said(world, mistake, test):
    plant(world, STORY[:1])
    world.execute([(mistake, ())])
    with pytest.raises(AssertionError, match="Got 1 result"):
        world.dbt("test", "--select", f"{test}*")


def test_a_value_without_rules_is_named_with_what_to_do(world):
    plant(world, STORY[:1])
    world.execute([("delete from profiles.survivorship_orders", ())])
    [result] = world.dbt("compile", "--select", "assert_every_told_attribute_has_rules")
    [(attribute, source, problem)] = world.query(result.node.compiled_code)
    assert (attribute, source) == ("city", "crm")
    assert "say which rules decide" in problem


def test_the_configuration_as_it_stands_is_accepted(world):
    plant(world, STORY)
    world.dbt("test", "--select", *SEEDS, "assert_every_told_attribute_has_rules")
