"""The true person map, kept beside the inbox and never loaded: who is behind each record and identifier."""

from pathlib import Path

import duckdb

from sources.demo.literal import sql_path

# (identifier type, files table, column, how the value is normalised)
OBSERVED = (
    ("user_id", "web_orders__orders", "customer_id", "{}"),
    ("user_id", "web_events__events", '"userId"', "{}"),
    ("user_id", "support__users", "external_id", "{}"),
    ("user_id", "consent__choices", "user_id", "{}"),
    ("user_id", "finance__payments", "customer_id", "{}"),
    ("loyalty_number", "store_receipts__receipts", "loyalty_number", "trim({})"),
    ("loyalty_number", "store_receipts__loyalty_members", "loyalty_number", "{}"),
    ("loyalty_number", "crm__contacts", "property_loyalty_number", "{}"),
    ("loyalty_number", "consent__choices", "loyalty_number", "{}"),
    ("email", "web_orders__orders", "email", "true_email({})"),
    ("email", "store_receipts__receipts", "receipt_email", "true_email({})"),
    ("email", "store_receipts__loyalty_members", "email", "true_email({})"),
    ("email", "crm__contacts", "property_email", "true_email({})"),
    ("email", "crm__contacts", "property_hs_additional_emails", "unnest(string_split({}, ';'))"),
    ("email", "support__users", "email", "true_email({})"),
    ("email", "email_engagement__events", "email", "true_email({})"),
    ("email", "consent__choices", "email", "true_email({})"),
    ("email", "finance__payments", "receipt_email", "true_email({})"),
    ("email", "web_events__events", "traits ->> 'email'", "true_email({})"),
    ("email", "web_events__events", "properties ->> 'email'", "true_email({})"),
    ("email_sha256", "email_engagement__events", "email_sha256", "{}"),
    ("phone", "web_orders__orders", "phone", "true_phone({})"),
    ("phone", "store_receipts__loyalty_members", "phone", "true_phone({})"),
    ("phone", "crm__contacts", "property_phone", "true_phone({})"),
    ("phone", "crm__contacts", "property_mobilephone", "true_phone({})"),
    ("phone", "support__users", "phone", "true_phone({})"),
    ("phone", "consent__choices", "phone", "true_phone({})"),
    ("phone", "shipping__shipments", "recipient_phone", "true_phone({})"),
    ("phone", "web_events__events", "traits ->> 'phone'", "true_phone({})"),
    ("crm_contact_id", "crm__contacts", "id", "{}"),
    ("support_user_id", "support__users", "id", "{}"),
    ("device_id", "web_events__events", "context ->> '$.device.id'", "{}"),
    ("anonymous_id", "web_events__events", '"anonymousId"', "{}"),
    ("anonymous_id", "consent__choices", "anonymous_id", "{}"),
    ("order_id", "web_orders__orders", "id", "{}"),
    ("receipt_id", "store_receipts__receipts", "upper(trim(receipt_id))", "{}"),
    ("card_fingerprint", "finance__payments", "card_fingerprint", "{}"),
)

RECORDS = (
    ("web_orders__orders", "id"),
    ("store_receipts__receipts", "upper(trim(receipt_id))"),
    ("crm__contacts", "id"),
    ("support__users", "id"),
    ("web_events__events", '"messageId"'),
    ("email_engagement__events", "id"),
    ("consent__choices", "id"),
)

IDENTIFIERS = """
create table truth_identifier as
with observed as ({observed}), pairs as (
    select distinct identifier_type, identifier_value, person_id from observed
    where person_id is not null and identifier_value is not null and identifier_value <> ''
)
select *, count(*) over (partition by identifier_type, identifier_value) > 1 as is_shared from pairs
order by all
"""


def write_truth(warehouse: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write people.csv, identifiers.csv (one row per identifier and person) and records.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    observed = " union all ".join(
        f"select '{kind}' as identifier_type, {form.format(column)} as identifier_value, "
        f"_person as person_id from files.{table}"
        for kind, table, column, form in OBSERVED
    )
    warehouse.execute(IDENTIFIERS.format(observed=observed))
    records = " union ".join(
        f"select '{table}' as source_table, {column} as record_id, _person as person_id from files.{table} "
        f"where _person is not null and {column} is not null"
        for table, column in RECORDS
    )
    people = """
        select person_id, household_key as household_id, first_name, last_name, birth_date, email_1, email_2,
            email_3, phone_1, phone_2, user_id, loyalty_number
        from person order by n
    """
    for name, query in (
        ("people", people),
        ("identifiers", "select * from truth_identifier order by all"),
        ("records", f"select * from ({records}) order by all"),
    ):
        warehouse.execute(f"copy ({query}) to {sql_path(folder / f'{name}.csv')} (format csv, header)")
