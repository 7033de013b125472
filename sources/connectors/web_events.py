"""Behaviour on the site and in the app, in the shape of the Segment specification."""

from sources.source import Source, Table, flag, moment, nested, text

SOURCE = Source(
    description="Page, track and identify calls of the site and the app.",
    owner="web@cdp.example",
    refresh="*/5 * * * *",
    tables=(
        Table(
            "events",
            key=("message_id",),
            description="One row per message as received; retries repeat the message_id.",
            columns=(
                text("message_id"),
                text("type"),
                text("event"),
                text("name"),
                text("anonymous_id", pii="user.unique_id.pseudonymous"),
                text("user_id", pii="user.unique_id"),
                text("previous_id", pii="user.unique_id"),
                text("group_id"),
                moment("timestamp"),
                moment("original_timestamp"),
                moment("sent_at"),
                moment("received_at"),
                nested("context", pii="user.device"),
                nested("properties", pii="user.behavior"),
                nested("traits", pii="user"),
                nested("integrations"),
                text("write_key"),
                nested("consent"),
                flag("is_bot"),
                nested("other_fields", pii="user"),
            ),
        ),
    ),
)
