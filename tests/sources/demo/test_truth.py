"""The person map is complete, says what is shared, and everyone in it is plainly invented."""

import re

ADDRESS = re.compile(r"[\w.*+\-\u0400-\u04ff\u200b]+@([\w.-]+)")
PLACEHOLDERS = {"test.com"}
INVENTED = {"example.com", "example.org", "example.net"}


def test_every_person_is_known_by_at_least_two_identifiers(query):
    found = query("""
        select person_id from people where person_id not in (
            select person_id from identifiers group by person_id having count(*) >= 2)
    """)
    assert found == []


def test_the_map_covers_every_order_receipt_contact_and_support_user(query):
    for table, key in (
        ("web_orders__orders", "id"),
        ("store_receipts__receipts", "upper(trim(receipt_id))"),
        ("crm__contacts", "id"),
        ("support__users", "id"),
    ):
        found = query(f"""
            select count(*) from {table} where cast({key} as varchar) not in (
                select record_id from records where source_table = '{table}')
        """)
        assert found == [(0,)]


def test_an_identifier_is_flagged_exactly_when_several_people_use_it(query):
    found = query("""
        select count(*) from (
            select count(distinct person_id) > 1 as has_several, bool_or(is_shared = 'true') as is_flagged
            from identifiers group by identifier_type, identifier_value
        ) where has_several <> is_flagged
    """)
    assert found == [(0,)]


def test_household_devices_and_family_addresses_are_shared(query):
    shared = {kind for (kind,) in query("select distinct identifier_type from identifiers where is_shared = 'true'")}
    assert {"anonymous_id", "device_id", "email", "card_fingerprint"} <= shared
    assert not shared & {"user_id", "loyalty_number", "phone", "crm_contact_id", "support_user_id"}


def test_no_address_outside_the_domains_reserved_for_examples(demo, folder):
    domains = {
        domain.lower()
        for file in [*(folder / "inbox").rglob("*.*"), *(folder / "truth").glob("*")]
        for domain in ADDRESS.findall(file.read_text())
    }
    assert domains <= INVENTED | PLACEHOLDERS


def test_every_phone_is_one_of_those_reserved_for_fiction(query):
    phones = [phone for (phone,) in query("select identifier_value from identifiers where identifier_type = 'phone'")]
    assert phones
    assert all(re.fullmatch(r"\+1\d{3}55501\d{2}", phone) for phone in phones)


def test_no_two_people_have_the_same_phone(query):
    found = query("""
        select phone from (select phone_1 as phone from people union all select phone_2 from people)
        where phone is not null group by phone having count(*) > 1
    """)
    assert found == []
