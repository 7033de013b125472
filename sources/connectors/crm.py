"""Contacts of the customer relationship system, shaped as HubSpot returns them."""

from sources.source import Source, Table, email, moment, person_name, phone, text

SOURCE = Source(
    description="CRM contacts, kept by the service and sales teams.",
    owner="crm@cdp.example",
    refresh="15 * * * *",
    tables=(
        Table(
            "contacts",
            key=("id",),
            description="One row per contact and version; additional e-mail addresses are ';' separated.",
            columns=(
                text("id", pii="user.unique_id"),
                email("property_email"),
                email("property_hs_additional_emails"),
                person_name("property_firstname"),
                person_name("property_lastname"),
                phone("property_phone"),
                phone("property_mobilephone"),
                text("property_address", pii="user.contact.address.street"),
                text("property_city", pii="user.contact.address.city"),
                text("property_zip", pii="user.contact.address.postal_code"),
                text("property_country", pii="user.contact.address.country"),
                text("property_date_of_birth", pii="user.demographic.date_of_birth"),
                text("property_lifecyclestage"),
                text("property_loyalty_number", pii="user.unique_id"),
                moment("property_createdate"),
                moment("property_lastmodifieddate"),
            ),
        ),
    ),
)
