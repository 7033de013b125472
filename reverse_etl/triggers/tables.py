"""The tables of triggers in schema `activation`: what fired, what waits to be sent, and who is on which list.

No values, only keys; but of who may be on a list what they were named by there, to take them off again.
"""

from reverse_etl.tables import open_journal
from reverse_etl.triggers.numbers import number_firings
from reverse_etl.warehouse import Warehouse

# The primary keys are the promise: one firing per person and reason, one message per firing.
COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    "trigger_firings": (
        ("trigger_name", "text not null"),
        ("profile_id", "text not null"),  # the person's id when it was opened
        ("reason", "text not null"),
        ("message_id", "text not null"),
        ("source_id", "text"),  # the event
        ("product_id", "text"),
        ("cart_id", "text"),
        ("occurred_at", "timestamp not null"),
        ("received_at", "timestamp"),
        ("opened_at", "timestamp not null"),
        ("due_at", "timestamp not null"),
        ("wake_at", "timestamp not null"),  # when to look (again): later than due in quiet hours
        ("decided_at", "timestamp"),
        ("outcome", "text"),  # null: not decided yet
        ("channel", "text"),
        ("reason_number", "bigint"),
        ("source_number", "bigint"),
    ),
    "trigger_outcomes": (  # of firings that are forgotten
        ("trigger_name", "text not null"),
        ("decided_on", "date not null"),
        ("outcome", "text not null"),
        ("firing_count", "bigint not null"),
    ),
    "trigger_members": (
        ("trigger_name", "text not null"),
        ("profile_id", "text not null"),
        ("is_in", "boolean not null"),
        ("entry", "bigint not null"),
        ("changed_at", "timestamp not null"),
    ),
    "trigger_marks": (
        ("trigger_name", "text not null"),
        ("landed_at", "timestamp"),
        ("profiles_batch", "bigint"),  # up to which build of `touched_profiles` rows of an audience were looked at
        # What happened before the trigger existed is none of its business, nor what it has forgotten.
        ("since", "timestamp not null"),
    ),
    "list_marks": (
        ("trigger_name", "text not null"),
        ("profiles_batch", "bigint not null"),  # up to which build of `touched_profiles` its people were looked at
    ),
    "outbox": (
        ("message_id", "text not null"),
        ("trigger_name", "text not null"),
        ("profile_id", "text not null"),
        ("channel", "text not null"),
        ("destination", "text not null"),
        ("state", "text not null"),
        ("code", "text"),
        ("attempts", "bigint not null"),
        ("occurred_at", "timestamp not null"),
        ("received_at", "timestamp"),
        ("due_at", "timestamp not null"),
        ("decided_at", "timestamp not null"),
        ("wake_at", "timestamp not null"),
        ("sent_at", "timestamp"),
        ("acknowledged_at", "timestamp"),
    ),
    "list_members": (
        ("destination", "text not null"),
        ("list_name", "text not null"),
        ("profile_id", "text not null"),
        ("trigger_name", "text not null"),  # whose purpose they are there for
        ("is_wanted", "boolean not null"),
        ("reason", "text"),  # why not wanted any more
        ("until_at", "timestamp"),
        ("decided_at", "timestamp not null"),
        ("received_at", "timestamp"),
        ("is_held", "boolean not null"),  # may they be there?
        ("identifiers", "text"),  # as delivered: who is taken off is named as they were put on
        ("pending_operation", "text"),
        ("operation_id", "text"),
        ("intents", "bigint not null"),
        ("attempts", "bigint not null"),
        ("wake_at", "timestamp not null"),
        ("sent_at", "timestamp"),
        ("acknowledged_at", "timestamp"),  # of the last addition
        ("code", "text"),
    ),
    "list_answers": (  # of the last days, for who measures
        ("operation_id", "text not null"),
        ("trigger_name", "text not null"),  # that decided it
        ("list_name", "text not null"),
        ("profile_id", "text not null"),
        ("operation", "text not null"),
        ("decided_at", "timestamp not null"),
        ("sent_at", "timestamp not null"),
        ("acknowledged_at", "timestamp not null"),
    ),
    "message_scrap": (
        ("message_id", "text not null"),
        ("trigger_name", "text not null"),
        ("channel", "text not null"),
        ("message_name", "text not null"),
        ("field", "text not null"),
        ("reason", "text not null"),
        ("scrapped_at", "timestamp not null"),
    ),
}
KEYS = {
    "trigger_firings": "trigger_name, profile_id, reason",
    "trigger_outcomes": "trigger_name, decided_on, outcome",
    "trigger_members": "trigger_name, profile_id",
    "trigger_marks": "trigger_name",
    "list_marks": "trigger_name",
    "outbox": "message_id",
    "list_members": "destination, list_name, profile_id",
    "list_answers": "operation_id",
    "message_scrap": "message_id, channel",
}
INDEXES = {
    "trigger_firings_wake": "activation.trigger_firings (trigger_name, wake_at) where outcome is null",
    "trigger_firings_message": "activation.trigger_firings (message_id)",
    "trigger_firings_reason": "activation.trigger_firings (reason_number)",
    "trigger_firings_source": "activation.trigger_firings (source_number)",
    "outbox_state": "activation.outbox (state, wake_at)",
    "outbox_profile": "activation.outbox (profile_id, decided_at)",
}


def open_tables(warehouse: Warehouse) -> None:
    """Create what is missing, tables and columns; harmless when all is there."""
    open_journal(warehouse)  # leases and accounts
    there = set(
        warehouse.execute(
            "select table_name, column_name from information_schema.columns where table_schema = 'activation'"
        )
    )
    for table, columns in COLUMNS.items():
        declared = ", ".join(f"{name} {type_}" for name, type_ in columns)
        if not any(known == table for known, _ in there):
            warehouse.execute(
                f"create table if not exists activation.{table} ({declared}, primary key ({KEYS[table]}))"
            )
            continue
        for column, type_ in columns:
            if (table, column) not in there:
                warehouse.execute(f"alter table activation.{table} add column if not exists {column} {type_}")
    if ("trigger_firings", "trigger_name") in there and ("trigger_firings", "source_number") not in there:
        number_firings(warehouse)
    if warehouse.is_row_store:
        for name, definition in INDEXES.items():
            warehouse.execute(f"create index if not exists {name} on {definition}")
