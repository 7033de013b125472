"""Read one batch of the plan as it is now: fresh consent, fresh values, delivered identifiers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reverse_etl.consent import consented
from reverse_etl.desired import REMOVED
from reverse_etl.destination import Change, Operation, Scalar
from reverse_etl.fingerprint import payload_of
from reverse_etl.identity import Identity, member_of
from reverse_etl.mapping import fits, rendered
from reverse_etl.payload import flaw, readable, scalar
from reverse_etl.sync import Sync
from reverse_etl.warehouse import Warehouse, quoted

_ENTERING = """
with

batch as (

    select * from activation.plan
    where run_id = ? and position between ? and ?

),

consented as ({consented})

select
    batch.position, batch.operation, batch.operation_id, batch.member_id, batch.is_resend,
    coalesce({fingerprint} = batch.fingerprint and audience.profile_id = batch.profile_id, false),
    {is_consented},
    {arm},
    {columns}
from batch
left join audiences.{audience} as audience on {key} = batch.record_key
left join consented on batch.profile_id = consented.profile_id
order by batch.position
"""
_LEAVING = """
select plan.position, plan.operation, plan.operation_id, plan.member_id, plan.is_resend, journal.identifiers
from activation.plan as plan
inner join activation.journal as journal
    on journal.sync_name = ? and journal.member_id = plan.member_id
where plan.run_id = ? and plan.position between ? and ?
order by plan.position
"""


@dataclass(frozen=True, slots=True)
class Planned:
    """A change of the plan with its position, and why it is not sent after all, if so."""

    position: int
    change: Change
    is_resend: bool
    outcome: str = ""  # suppressed, moved or rejected; empty: to be sent
    code: str = ""


def ranges(warehouse: Warehouse, run_id: str, size: int) -> Iterator[tuple[int, int, bool]]:
    """First and last position of each batch, and whether it is of members who leave, in the order of the plan."""
    for is_leaving, first, last in warehouse.execute(
        """
        select coalesce(reason in ('revoked', 'left'), false) as is_leaving, min(position), max(position)
        from activation.plan where run_id = ? group by 1 order by 2
        """,
        [run_id],
    ):
        for start in range(first, last + 1, size):
            yield start, min(start + size - 1, last), is_leaving


def entering(warehouse: Warehouse, identity: Identity, run_id: str, *, first: int, last: int) -> list[Planned]:
    """Read who is to be sent; mark those without consent by now, changed since, or unfit to leave."""
    sync, removes = identity.sync, identity.sync.mode == "remove"
    columns = list(dict.fromkeys([*sync.columns, *identity.columns.values()]))
    rows = warehouse.execute(
        _ENTERING.format(
            consented=consented(sync, "and profile_id in (select profile_id from batch)"),
            fingerprint=f"'{REMOVED}'" if removes else payload_of(sync, identity.unreadable, "audience"),
            is_consented="true" if removes else "coalesce(consented.is_granted, 0) = 1",
            arm=sync.split.sql("audience.profile_id") if sync.split else "null",
            columns=", ".join(f"audience.{quoted(column)}" for column in columns),
            audience=quoted(sync.audience),
            key=f"cast(audience.{quoted(sync.key)} as varchar)",
        ),
        [run_id, first, last],
    )
    return [_planned(identity, head, dict(zip(columns, values, strict=True))) for *head, values in _cut(rows, 8)]


def _cut(rows: Sequence[Sequence[Any]], at: int) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        yield (*row[:at], row[at:])


def _planned(identity: Identity, head: Sequence[Any], row: Mapping[str, Any]) -> Planned:
    position, operation, operation_id, member_id, is_resend, is_as_planned, is_consented, arm = head
    sync, spec = identity.sync, identity.spec
    values = {column: scalar(value) for column, value in row.items()}
    given = {name: values[column] for name, column in identity.columns.items()}
    found_by = identity.found_by(given) if is_as_planned and is_consented else {}
    fields, cleared = fields_of(identity, operation, values, arm)
    is_same = identity.identify is None or sync.mode == "append_events" or member_of(found_by) == member_id
    outcome, code = "", ""
    if not is_consented:
        outcome, code = "suppressed", "no_consent"
    elif not is_as_planned or (found_by and not is_same):
        outcome, code = "moved", "changed_since_planned"
    elif code := (
        flaw({**found_by, **fields}, () if operation == "remove" else spec.required)
        or wrong_type(sync, row)
        or ("" if found_by else identity.reason(given))
        or readable(spec, found_by, fields)
    ):
        outcome = "rejected"
    change = Change(operation_id, operation, member_id, found_by, {} if operation == "remove" else fields, cleared)
    return Planned(position, change, is_resend, outcome, code)


def fields_of(
    identity: Identity, operation: Operation, values: Mapping[str, Scalar], arm: str | None
) -> tuple[dict[str, Scalar], tuple[str, ...]]:
    """Map a row, and name the fields that are to be emptied there."""
    sync, fields, cleared = identity.sync, {}, []
    for column, name in sync.fields.items():
        rule, value = sync.rule(name), values[column]
        if column in identity.unreadable or (rule.set_once and operation == "change"):
            continue
        if value is None and rule.nulls == "skip":
            continue
        if value is None and rule.nulls == "clear":
            cleared.append(name)
        fields[name] = value
    fields |= {name: rendered(template, values) for name, template in sync.templates.items()}
    if sync.split and sync.split.field:
        fields[sync.split.field] = arm
    return fields, tuple(cleared)


def wrong_type(sync: Sync, row: Mapping[str, Any]) -> str:
    """Name the first field whose value is not of the type that was promised; empty: none."""
    for column, name in sync.fields.items():
        if name in sync.field_rules and not fits(row[column], sync.field_rules[name].type):
            return f"wrong_type_{name}"
    return ""


def leaving(warehouse: Warehouse, identity: Identity, run_id: str, *, first: int, last: int) -> list[Planned]:
    """Read removals, each with the identifiers that were delivered, whatever became of the row since."""
    planned = []
    for position, operation, operation_id, member_id, is_resend, identifiers in warehouse.execute(
        _LEAVING, [identity.sync.name, run_id, first, last]
    ):
        change = Change(operation_id, operation, member_id, json.loads(identifiers))
        code = readable(identity.spec, change.identifiers, {})
        planned.append(Planned(position, change, is_resend, "rejected" if code else "", code))
    return planned
