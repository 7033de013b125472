"""What the collector did not let through: refused events, and counts of those that consent forbids to keep."""

from sources.source import Source, Table, day, flag, integer, moment, nested, text

SOURCE = Source(
    description="Events the collector refused or was not allowed to keep.",
    owner="web@cdp.example",
    refresh="*/5 * * * *",
    tables=(
        Table(
            "refusals",
            key=("message_id", "received_at"),
            description="One row per refused event or body, with the reasons as codes.",
            columns=(
                moment("received_at"),
                text("source"),
                text("stage"),
                nested("codes"),
                text("plan_version"),
                text("write_key"),
                text("message_id"),
                text("raw", pii="user"),
                flag("is_base64"),
                text("sdk"),
            ),
        ),
        Table(
            "denials",
            key=("source", "type", "reason", "day", "received_at"),
            description="One row per count of events that were not kept because consent forbids it.",
            columns=(
                moment("received_at"),
                text("source"),
                text("type"),
                text("reason"),
                day("day"),
                integer("event_count"),
            ),
        ),
    ),
)
