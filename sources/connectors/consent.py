"""The consent log: what each person allowed, refused or took back, on any surface."""

from sources.source import Source, Table, email, moment, phone, text

SOURCE = Source(
    description="Consent choices from banner, checkout, store and preference centre.",
    owner="privacy@cdp.example",
    refresh="*/5 * * * *",
    tables=(
        Table(
            "choices",
            key=("id",),
            description="One row per choice for one purpose and channel; never changed, only added to.",
            columns=(
                text("id"),
                email("email"),
                phone("phone"),
                text("user_id", pii="user.unique_id"),
                text("anonymous_id", pii="user.unique_id.pseudonymous"),
                text("loyalty_number", pii="user.unique_id"),
                text("purpose"),
                text("channel"),
                text("status"),
                text("method"),
                text("notice_version"),
                text("jurisdiction"),
                text("source"),
                moment("collected_at"),
                moment("received_at"),
            ),
        ),
    ),
)
