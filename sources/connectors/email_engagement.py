"""What became of the e-mails that were sent, shaped as Klaviyo exports it."""

from sources.source import Source, Table, day, email, moment, text

SOURCE = Source(
    description="E-mail campaigns, and who received, opened, clicked, bounced, complained or left.",
    owner="email@cdp.example",
    refresh="20 * * * *",
    tables=(
        Table(
            "campaigns",
            key=("id",),
            description="One row per campaign.",
            columns=(
                text("id"),
                text("name"),
                text("campaign_type"),
                text("subject"),
                moment("send_time"),
                day("start_on"),
                day("end_on"),
            ),
        ),
        Table(
            "events",
            key=("id",),
            description="One row per event; clicks on the tracking domain carry only the address's SHA-256.",
            columns=(
                text("id"),
                text("person_id", pii="user.unique_id"),
                email("email"),
                text("email_sha256", pii="user.unique_id.pseudonymous"),
                text("metric"),
                text("campaign_id"),
                text("property_subject"),
                text("property_url"),
                moment("datetime"),
            ),
        ),
    ),
)
