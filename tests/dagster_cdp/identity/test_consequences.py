"""What a trial's tables differ in from the real ones: people, audiences and consent, counted by person."""

import pytest
from people import ADA, ADA_CARD, ADA_COOKIE, ADA_LOGIN, ADA_PHONE, BEN, BEN_LOGIN, KIOSK, values
from rich.console import Console

from dagster_cdp.identity.consequences import AudienceChange, ConsentChange, compare
from dagster_cdp.identity.trial_report import print_consequences

REAL = ("identity", "profiles", "audiences")


class Trial:
    """The real tables, and the same ones beside them to change."""

    def __init__(self, town, profile_of):
        self.warehouse = town.warehouse
        self.profile_of = profile_of
        for statement in (
            "create schema profiles", "create schema audiences",
            "create table profiles.consents (profile_id varchar, purpose varchar, channel varchar, is_granted boolean)",
            "create table audiences.vip (profile_id varchar)",
        ):  # fmt: skip
            self.warehouse.execute(statement)
        self.consent("ada", True)
        self.consent("ben", False)
        self.member("ada")

    def consent(self, name, is_granted):
        row = [self.profile_of(name), is_granted]
        self.warehouse.execute("insert into profiles.consents values (?, 'marketing', 'email', ?)", row)

    def member(self, name):
        self.warehouse.execute("insert into audiences.vip values (?)", [self.profile_of(name)])

    def begin(self):
        """What a build with the same rules would give."""
        for schema in REAL:
            self.warehouse.execute(f"create schema what_if_{schema}")
        for table in ("identity.profile_identifiers", "profiles.consents", "audiences.vip"):
            self.warehouse.execute(f"create table what_if_{table} as select * from {table}")

    def move(self, name, *identifiers):
        """In the trial these identifiers are this profile's."""
        for kind, value in identifiers:
            self.warehouse.execute(
                "update what_if_identity.profile_identifiers set profile_id = ?"
                " where identifier_type = ? and identifier_value = ?",
                [self.profile_of(name), kind, value],
            )

    def results(self):
        return compare(self.warehouse, "what_if_")


@pytest.fixture
def trial(ada_and_ben, profile_of):
    made = Trial(ada_and_ben, profile_of)
    made.begin()
    return made


def test_the_same_rules_change_nothing(trial):
    found = trial.results()
    assert (found.profiles_before, found.profiles_after) == (3, 3)
    assert (found.profiles_merging, found.merged_into, found.profiles_splitting, found.split_into) == (0, 0, 0, 0)
    assert found.audiences == {"vip": AudienceChange(1, 1, 0, 0)}
    assert found.consents == [ConsentChange("marketing", "email", 0, 0)]


def test_a_merge_is_named_with_both_profiles(trial, profile_of, sha):
    trial.move("ada", BEN, BEN_LOGIN, ("email_sha256", sha(BEN[1])))
    found = trial.results()
    assert (found.profiles_before, found.profiles_after) == (3, 2)
    assert (found.profiles_merging, found.merged_into, found.profiles_splitting) == (2, 1, 0)
    (example,) = found.merges
    assert (set(example.profile_ids), example.into_or_from) == (
        {profile_of("ada"), profile_of("ben")},
        profile_of("ada"),
    )


def test_a_split_is_named_with_both_parts(trial, profile_of):
    trial.move("new", ADA_COOKIE, ADA_CARD)
    found = trial.results()
    assert (found.profiles_splitting, found.split_into, found.profiles_merging) == (1, 2, 0)
    (example,) = found.splits
    assert (set(example.profile_ids), example.into_or_from) == (
        {profile_of("ada"), profile_of("new")},
        profile_of("ada"),
    )


def test_merges_and_splits_are_said_in_the_order_of_time(trial, profile_of):
    trial.move("new", ADA_PHONE)
    console = Console(record=True, width=200)
    print_consequences(trial.results(), console)
    (split,) = [line for line in console.export_text().splitlines() if " becomes " in line]
    before, after = split.split(" becomes ")
    assert before.strip() == profile_of("ada")
    assert profile_of("ada") in after
    assert profile_of("new") in after


def test_who_merges_into_a_member_is_one_more_person_with_consent_or_one_less(trial, sha, profile_of):
    """Ben merges into Ada, and his refusal counts for both: she can't be written to any more."""
    trial.move("ada", BEN, BEN_LOGIN, ("email_sha256", sha(BEN[1])))
    trial.warehouse.execute("update what_if_profiles.consents set is_granted = false")
    assert trial.results().consents == [ConsentChange("marketing", "email", 0, 1)]
    trial.warehouse.execute("update what_if_profiles.consents set is_granted = true")
    assert trial.results().consents == [ConsentChange("marketing", "email", 1, 0)]


def test_a_consent_that_is_gone_is_no_consent(trial):
    trial.warehouse.execute("delete from what_if_profiles.consents")
    assert trial.results().consents == [ConsentChange("marketing", "email", 0, 1)]


def test_a_member_under_another_profile_id_neither_comes_nor_goes(trial, sha, profile_of):
    trial.move("renamed", ADA, ADA_LOGIN, ADA_PHONE, ADA_COOKIE, ADA_CARD, ("email_sha256", sha(ADA[1])))
    trial.warehouse.execute("update what_if_audiences.vip set profile_id = ?", [profile_of("renamed")])
    assert trial.results().audiences["vip"] == AudienceChange(1, 1, 0, 0)


def test_a_member_who_leaves_and_one_who_comes_are_counted(trial, profile_of):
    trial.warehouse.execute("update what_if_audiences.vip set profile_id = ?", [profile_of("ben")])
    assert trial.results().audiences["vip"] == AudienceChange(1, 1, 1, 1)


def test_identifiers_of_a_type_that_goes_are_counted(trial):
    trial.warehouse.execute("delete from what_if_identity.profile_identifiers where identifier_type = 'device_id'")
    found = trial.results()
    assert (found.identifiers_dropped, found.identifiers_added) == (1, 0)
    assert KIOSK[1] not in str(found)


def test_examples_are_masked(trial, sha):
    trial.move("ada", BEN, BEN_LOGIN, ("email_sha256", sha(BEN[1])))
    assert [value for value in values() if value in str(trial.results())] == []
