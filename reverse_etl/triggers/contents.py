"""What a message says, read when it leaves: values stay in the warehouse and are in no queue."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from reverse_etl.messages.message import Message
from reverse_etl.sync import BadDeclaration
from reverse_etl.triggers.duration import moment
from reverse_etl.triggers.trigger import ADDRESS, Trigger
from reverse_etl.warehouse import Warehouse, quoted

TABLES = {
    "profile": ("profiles", "profiles"),
    "traits": ("profiles", "traits"),
    "offer": ("profiles", "personal_offers"),
    "product": ("staging", "stg_products__products"),
    "event": ("profiles", "profile_events"),
}
# What a row of each is found by, and of a firing; of people where nothing else is said.
_BY = {"product": ("product_id", "product_id"), "event": ("event_id", "source_id")}
_OF_PERSON = ("profile_id", "person_id")
SLACK = timedelta(hours=1)  # an event that was sent again may tell another moment
NEEDED = {
    "profiles.profiles": ("profile_id", "email", "phone", "confidence"),
    "profiles.consents": ("profile_id", "purpose", "channel", "is_granted"),
    "profiles.orders": ("profile_id", "order_key", "is_cancelled", "ordered_at"),
    "profiles.order_lines": ("order_key", "product_id"),
    "profiles.profile_events": ("event_id", "profile_id", "event_name", "cart_id", "occurred_at", "_landed_at"),
    "profiles.time_zones": ("profile_id", "time_zone"),
    "profiles.contact_preferences": ("profile_id", "channel", "position"),
    "identity.profile_redirects": ("profile_id", "current_profile_id"),
    "identity.touched_profiles": ("profile_id", "_batch"),
}
_VALUES = """
with told as (

    select
        firings.message_id, firings.product_id, firings.source_id, firings.reason,
        coalesce(redirects.current_profile_id, firings.profile_id) as person_id
    from activation.trigger_firings as firings
    left join _trigger_redirects as redirects on firings.profile_id = redirects.profile_id
    where firings.message_id in ({ids}) and firings.occurred_at >= {since}

)

select {columns}
from told
{joins}
"""


def read_values(
    warehouse: Warehouse, trigger: Trigger, channel: str, message: Message, happened: Mapping[str, datetime]
) -> dict[str, tuple[Any, dict[str, Any]]]:
    """By message: the address it goes to, and the values of its fields. `happened`: when each's reason did."""
    if not happened:
        return {}
    since = min(happened.values())
    names = list(message.fields)
    address = f"profile.{ADDRESS.get(channel, 'profile_id')}"
    columns = ["told.message_id", address, *(_column(message.fields[name].source) for name in names)]
    kinds = sorted({"profile", *message.sources})
    found = warehouse.execute(
        _VALUES.format(
            ids=", ".join("?" for _ in happened),
            columns=", ".join(columns),
            joins=" ".join(_join(trigger, k, since) for k in kinds),
            since=moment(since),
        ),
        list(happened),
    )
    return {str(id_): (to, dict(zip(names, values, strict=True))) for id_, to, *values in found}


def _column(source: str) -> str:
    table, column = source.split(".")
    return f'"{table}".{quoted(column)}'


def _join(trigger: Trigger, kind: str, since: datetime) -> str:
    schema, table = table_of(trigger, kind)
    column, told = _BY.get(kind, _OF_PERSON)
    on = f'"{kind}".{column} = told.{told}'
    if kind == "row" and trigger.when.rows:
        key = " || '/' || ".join(f'cast("row".{quoted(column)} as varchar)' for column in trigger.reasons)
        on += f" and {key} = told.reason"
    # Of ten million events a few: joined as they are, DuckDB may lay out all of them. The filter: see `share_a_number`.
    few = f"select * from {schema}.{quoted(table)} where {column} in (select {told} from told where length({told}) > 0)"
    if kind == "event":
        few += f" and occurred_at >= {moment(since - SLACK)}"
    return f'left join ({few}) as "{kind}" on {on}'


def table_of(trigger: Trigger, kind: str) -> tuple[str, str]:
    """Name the table a kind of field is read from."""
    return ("audiences", trigger.when.audience or "") if kind == "row" else TABLES[kind]


def check_columns(warehouse: Warehouse, trigger: Trigger) -> None:
    """Refuse with a sentence a trigger whose tables or columns aren't there."""
    wanted = [(*table.split("."), column, "the decision") for table, columns in NEEDED.items() for column in columns]
    if trigger.when.audience:
        columns = {"profile_id", trigger.when.at, *(set(trigger.reasons) - {"entry", "ever"})} - {None}
        wanted += [("audiences", trigger.when.audience, str(column), "when") for column in sorted(map(str, columns))]
    for channel in trigger.send:
        message = trigger.message(channel)
        for name, field in message.fields.items():
            kind, column = field.source.split(".")
            wanted.append((*table_of(trigger, kind), column, f"field {name} of message {message.name}"))
    there = set(warehouse.execute("select table_schema, table_name, column_name from information_schema.columns"))
    for schema, table, column, why in wanted:
        if not any(known[:2] == (schema, table) for known in there):
            raise BadDeclaration(f"{trigger.name}.yml: no table {schema}.{table}, for {why}: build it with dbt")
        if (schema, table, column) not in there:
            raise BadDeclaration(f"{trigger.name}.yml: {schema}.{table} has no column {column}, for {why}")
