"""Members are what is delivered: normalised and hashed, by rules that may change, shared by rows that spell alike."""

import hashlib
import json

import pytest
from activation_town import VIP, Remote, email_of, sync_now

from reverse_etl import identity
from reverse_etl.destination import Outcome, Receipt, Request, Spec
from reverse_etl.identity import identity_of, member_of
from reverse_etl.normalise import Identified
from reverse_etl.sync import BadDeclaration

ADS = VIP.model_copy(update={"fields": {"email": "email", "amount": "value"}, "templates": {"note": "{profile_id}"}})


def hashed(email):
    return hashlib.sha256(email.encode()).hexdigest()


class Ads(Remote):
    """An ad platform: hashes in, members by hash, plain text refused."""

    @property
    def spec(self):
        return Spec(batch_rows=self.batch_rows, platform="meta", hash_only=True, attempts=1)

    def apply(self, operation_id, operation, identifiers, fields):
        assert "@" not in json.dumps([identifiers, fields])
        return super().apply(operation_id, operation, identifiers, fields)


def test_identifiers_leave_normalised_and_hashed_and_never_as_fields(warehouse, town):
    town.audience({"ann": {"email": " Ann@Example.COM "}})
    remote = Ads()

    sync_now(warehouse, remote, ADS)

    [[row]] = remote.requests
    assert row[2] == {"email": hashed("ann@example.com")}
    assert row[3] == {"note": "ann", "value": 1}
    assert town.journal("identifiers") == [(json.dumps(row[2], separators=(",", ":")),)]


def test_another_spelling_is_the_same_member_and_costs_nothing(warehouse, town):
    remote = Ads()
    town.audience({"ann": {"email": "ann@example.com"}})
    sync_now(warehouse, remote, ADS)
    town.audience({"ann": {"email": "ANN@example.com"}})

    assert sync_now(warehouse, remote, ADS).requests == 0


def test_rows_that_are_one_after_hashing_are_one_member_until_the_last_leaves(warehouse, town):
    remote = Ads()
    town.audience({"ann": {"email": "HOME@example.com"}, "bob": {"email": "home@example.com"}, "cem": {}})
    assert sync_now(warehouse, remote, ADS).plan.duplicate == 1
    town.audience({"bob": {"email": "home@example.com"}, "cem": {}})
    assert sync_now(warehouse, remote, ADS).plan.remove == 0
    town.audience({"cem": {}})

    sync_now(warehouse, remote, ADS)

    assert set(remote.members) == {hashed(email_of("cem"))}
    assert [row[1] for row in remote.requests[-1]] == ["remove"]


def test_what_was_identified_before_is_not_identified_again(warehouse, town, monkeypatch):
    seen = []
    plain = identity.Identity.found_by
    monkeypatch.setattr(identity.Identity, "found_by", lambda self, v: seen.append(v["email"]) or plain(self, v))
    remote = Ads()
    town.audience(["ann", "bob"])
    sync_now(warehouse, remote, ADS)
    seen.clear()
    town.audience(["ann", "bob", "cem"])

    sync_now(warehouse, remote, ADS)

    assert set(seen) == {email_of("cem")}
    assert warehouse.execute("select count(*) from activation.identities") == [(3,)]


def test_the_cache_holds_hashes_only_and_forgets_who_is_gone(warehouse, town):
    remote = Ads()
    town.audience(["ann", "bob"])
    sync_now(warehouse, remote, ADS)
    assert "@" not in str(warehouse.execute("select * from activation.identities"))
    town.consent("ann", is_granted=False)

    sync_now(warehouse, remote, ADS)

    assert warehouse.execute("select count(*) from activation.identities") == [(1,)]


def test_other_rules_make_other_members_and_the_old_are_removed_as_delivered(warehouse, town):
    """Rules, options or mapping may change: a removal sends what was sent."""
    remote = Ads()
    town.audience({"ann": {"email": "ann@example.com"}})
    sync_now(warehouse, remote, ADS)
    delivered = remote.requests[0][0][2]
    remote.identify = lambda fields: Identified({"email": hashed(f"pepper{fields['email']}")}, {})

    sync_now(warehouse, remote, ADS)

    assert next(row[1:3] for rows in remote.requests[1:] for row in rows) == ["remove", delivered]
    assert set(remote.members) == {hashed("pepperann@example.com")}


def test_who_cannot_be_found_is_counted_and_not_sent(warehouse, town):
    town.audience({"ann": {"email": "not an address"}, "bob": {"email": None}, "cem": {}})
    remote = Ads()

    report = sync_now(warehouse, remote, ADS)

    assert report.plan.unidentified == 2
    assert set(remote.members) == {hashed(email_of("cem"))}
    assert warehouse.execute("select reason from activation.identities where member_id is null") == [
        ("malformed_email",)
    ]


def test_an_address_in_a_field_does_not_leave_in_clear(warehouse, town):
    town.audience({"write to ann@example.com": {"email": "x@example.com"}, "bob": {}})
    remote = Ads()

    report = sync_now(warehouse, remote, ADS)

    assert report.reasons == {"plaintext_refused": 1}
    assert set(remote.members) == {hashed(email_of("bob"))}


def test_plaintext_in_the_journal_is_not_sent_to_a_platform_of_hashes(warehouse, town):
    """The sync went to a destination of plain text before."""
    town.audience(["ann", "bob"])
    sync_now(warehouse, Remote(), ADS)
    remote = Ads()

    report = sync_now(warehouse, remote, ADS, approve=True)

    assert report.reasons["plaintext_refused"] == 2
    assert set(remote.members) == {hashed(email_of("ann")), hashed(email_of("bob"))}
    letters = warehouse.execute("select operation, code, times from activation.dead_letters order by 1")
    assert letters == [("remove", "plaintext_refused", 1)] * 2


def test_identifiers_of_a_tool_that_gets_plain_values_are_those_that_find_somebody(warehouse):
    class Mail(Remote):
        spec = Spec(batch_rows=10, platform="klaviyo")

        def outcomes(self, rows, _):
            return [Receipt(row, Outcome.DELIVERED) for row in rows]

        def request(self, _):
            return Request("/", b"[]")

    found = identity_of(VIP, Mail())
    assert set(found.columns) == {"email", "external_id"}
    assert found.unreadable == frozenset()


def test_a_platform_without_any_mapped_identifier_is_refused(warehouse, town):
    with pytest.raises(BadDeclaration, match="needs a column mapped to"):
        sync_now(warehouse, Ads(), ADS.model_copy(update={"fields": {"amount": "value"}}))


@pytest.mark.parametrize(
    "changes",
    [
        {"fields": {"email": "email", "first_name": "note"}},
        {"templates": {"note": "for {first_name}"}},
        {"templates": {"note": "{email}"}},
    ],
)
def test_a_mapping_that_would_show_personal_columns_to_a_platform_of_hashes_is_refused(warehouse, town, changes):
    with pytest.raises(BadDeclaration, match="would reach remote in clear"):
        sync_now(warehouse, Ads(), ADS.model_copy(update=changes))


def test_members_do_not_depend_on_the_order_of_identifiers():
    assert member_of({"a": 1, "b": 2}) == member_of({"b": 2, "a": 1})
