"""The tables of schema `activation`, made and grown where they stand."""

from reverse_etl.warehouse import Warehouse

# Temporary tables: the batch at hand by position in the plan, and one row that says whose it is.
BATCH, RUN = "_activation_batch", "_activation_run"
_COUNTED = tuple(
    (f"{word}_{operation}", "bigint")
    for word in ("planned", "attempted", "succeeded", "failed")
    for operation in ("add", "change", "remove")
)
# Columns that were added later are nullable: rows from before have none.
COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    "journal": (
        ("sync_name", "text not null"),
        ("member_id", "text not null"),
        ("record_key", "text"),
        ("profile_id", "text"),
        ("identifiers", "text"),
        # may the destination hold the member? true as soon as that can't be excluded
        ("is_held", "boolean not null"),
        ("delivered_fingerprint", "text"),
        ("rejected_fingerprint", "text"),
        # an intent without a certain answer
        ("pending_operation", "text"),
        ("pending_fingerprint", "text"),
        ("operation_id", "text"),
        ("intent_count", "bigint"),
        ("intended_at", "timestamp"),
        ("answered_at", "timestamp"),
        # a short hash of each field, where the destination asks which of them changed
        ("delivered_fields", "text"),
        ("pending_fields", "text"),
    ),
    "identities": (
        ("sync_name", "text not null"),
        ("rules", "text not null"),
        ("given_id", "text not null"),
        ("member_id", "text"),
        ("reason", "text"),
    ),
    "member_identifiers": (
        ("sync_name", "text not null"),
        ("member_id", "text not null"),
        ("identifier", "text not null"),
    ),
    "plan": (
        ("run_id", "text not null"),
        ("position", "bigint not null"),
        ("operation", "text not null"),
        ("reason", "text"),
        ("member_id", "text not null"),
        ("record_key", "text"),
        ("fingerprint", "text"),
        ("operation_id", "text not null"),
        ("is_resend", "boolean not null"),
        ("profile_id", "text"),
        ("is_known", "boolean"),
        # hashes of identifiers that are not removed, because somebody who stays has them
        ("kept", "text"),
    ),
    "attempts": (
        ("run_id", "text not null"),
        ("sync_name", "text not null"),
        ("position", "bigint not null"),
        ("member_id", "text not null"),
        ("operation_id", "text not null"),
        ("operation", "text not null"),
        ("outcome", "text not null"),
        ("code", "text"),
        ("attempted_at", "timestamp not null"),
        ("record_key", "text"),
        ("profile_id", "text"),
    ),
    "dead_letters": (
        ("sync_name", "text not null"),
        ("member_id", "text not null"),
        ("record_key", "text"),
        ("operation", "text not null"),
        ("fingerprint", "text"),
        ("code", "text"),
        ("first_rejected_at", "timestamp not null"),
        ("last_rejected_at", "timestamp not null"),
        ("times", "bigint not null"),
    ),
    "sync_runs": (
        ("run_id", "text not null"),
        ("sync_name", "text not null"),
        ("audience", "text"),
        ("destination", "text"),
        ("purpose", "text"),
        ("channel", "text"),
        ("epoch", "bigint"),
        ("state", "text not null"),
        ("reason", "text"),
        ("started_at", "timestamp not null"),
        ("finished_at", "timestamp"),
        ("audience_count", "bigint"),
        ("desired_count", "bigint"),
        ("held_count", "bigint"),
        ("scrap_count", "bigint"),
        ("suppressed_count", "bigint"),
        *_COUNTED,
        ("is_duplicate_possible", "boolean"),
        ("mode", "text"),
        ("kind", "text"),
        ("plan_id", "text"),
        ("approved_by", "text"),
        ("warnings", "text"),
        ("excluded_count", "bigint"),
        ("held_out_count", "bigint"),
        ("unknown_count", "bigint"),
        ("rejected_count", "bigint"),
        ("request_count", "bigint"),
        ("cost", "double precision"),
        ("place", "text"),
    ),
    "approvals": (
        ("sync_name", "text not null"),
        ("plan_id", "text not null"),
        ("approved_by", "text not null"),
        ("approved_at", "timestamp not null"),
        ("used_by_run", "text"),
    ),
    "arms": (
        ("sync_name", "text not null"),
        ("seed", "text not null"),
        ("profile_id", "text not null"),
        ("arm", "text not null"),
        ("assigned_at", "timestamp not null"),
    ),
    "accounts": (
        ("account", "text primary key"),
        ("free_at", "double precision not null"),
        ("failures", "bigint not null"),
        ("pause_reason", "text"),
        ("changed_at", "timestamp"),
    ),
    "alerts": (
        ("sync_name", "text primary key"),
        ("state", "text not null"),
        ("noticed_at", "timestamp not null"),
    ),
    "leases": (
        ("sync_name", "text primary key"),
        ("epoch", "bigint not null"),
        ("holder", "text"),
        ("expires_at", "timestamp not null"),
    ),
}
TABLES = {table: ", ".join(f"{name} {type_}" for name, type_ in columns) for table, columns in COLUMNS.items()}
INDEXES = {
    "journal_member": "unique index {} on activation.journal (sync_name, member_id)",
    "identities_given": "index {} on activation.identities (sync_name, rules, given_id)",
    "member_identifiers_member": "index {} on activation.member_identifiers (sync_name, member_id)",
    "member_identifiers_identifier": "index {} on activation.member_identifiers (sync_name, identifier)",
    "plan_position": "unique index {} on activation.plan (run_id, position)",
    "attempts_run": "index {} on activation.attempts (run_id, position)",
    "dead_letters_member": "index {} on activation.dead_letters (sync_name, member_id)",
    "sync_runs_run": "unique index {} on activation.sync_runs (run_id)",
}


def open_journal(warehouse: Warehouse) -> None:
    """Create what is missing, tables and columns; harmless when all is there."""
    there = {
        (str(table), str(column))
        for table, column in warehouse.execute(
            "select table_name, column_name from information_schema.columns where table_schema = 'activation'"
        )
    }
    if not there:
        warehouse.execute("create schema if not exists activation")
    for table, columns in COLUMNS.items():
        if not any(known == table for known, _ in there):
            warehouse.execute(f"create table if not exists activation.{table} ({TABLES[table]})")
            continue
        for column, type_ in columns:
            if (table, column) not in there:
                warehouse.execute(f"alter table activation.{table} add column if not exists {column} {type_}")
    if warehouse.is_row_store:
        for name, definition in INDEXES.items():
            warehouse.execute("create " + definition.format(f"if not exists {name}"))
