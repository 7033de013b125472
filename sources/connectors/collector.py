"""What the collector did not let through: refused events, and counts of those that consent forbids to keep."""

from sources.source import Source, Table, flag, integer, moment, nested, text

SOURCE = Source(
    description="Events the collector refused, or was not allowed to keep.",
    owner="web@cdp.example",
    refresh="*/5 * * * *",
    tables=(
        Table(
            "refusals",
            # no two lines are one; these are what every line has
            key=("received_at", "source", "stage"),
            description="One row per refused event or body with its reasons, or per count of events nobody may keep.",
            columns=(
                moment("received_at"),
                moment("sent_at"),
                text("source"),
                text("stage"),
                text("code"),
                nested("codes"),
                text("plan_version"),
                text("write_key"),
                text("message_id"),
                text("raw", pii="user"),
                flag("is_base64"),
                text("sdk"),
                text("type"),
                integer("count"),
            ),
        ),
    ),
)
