"""The service desk: who asked, the tickets, and what was written, shaped as Zendesk returns them."""

from sources.source import Source, Table, email, flag, moment, nested, person_name, phone, text

SOURCE = Source(
    description="Service desk users, tickets and comments.",
    owner="service@cdp.example",
    refresh="45 * * * *",
    tables=(
        Table(
            "users",
            key=("id",),
            description="One row per requester and version; external_id is the login, if there is one.",
            columns=(
                text("id", pii="user.unique_id"),
                person_name("name"),
                email("email"),
                phone("phone"),
                text("external_id", pii="user.unique_id"),
                moment("created_at"),
                moment("updated_at"),
            ),
        ),
        Table(
            "tickets",
            key=("id",),
            description="One row per ticket and version.",
            columns=(
                text("id"),
                text("requester_id", pii="user.unique_id"),
                text("subject", pii="user.content"),
                text("description", pii="user.content"),
                text("status"),
                text("priority"),
                text("via_channel"),
                nested("tags"),
                moment("created_at"),
                moment("updated_at"),
            ),
        ),
        Table(
            "comments",
            key=("id",),
            description="One row per comment or chat note.",
            columns=(
                text("id"),
                text("ticket_id"),
                text("user_id", pii="user.unique_id"),
                text("body", pii="user.content"),
                flag("public"),
                moment("created"),
            ),
        ),
    ),
)
