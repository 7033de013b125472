"""Read one batch of the plan as it is now: fresh consent, fresh values, delivered identifiers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reverse_etl.changed import changed
from reverse_etl.consent import consented
from reverse_etl.desired import REMOVED
from reverse_etl.destination import Change, Scalar
from reverse_etl.fingerprint import payload_of
from reverse_etl.identity import Identity, member_of
from reverse_etl.mapper import Mapper
from reverse_etl.parts import parted
from reverse_etl.payload import flaw, readable
from reverse_etl.warehouse import Warehouse, quoted

_ENTERING = """
with

batch as materialized (

    select * from activation.plan
    where run_id = ? and position between ? and ?

),

consented as ({consented}),

-- materialized, or the whole audience is joined before it is cut down to the batch
audience as materialized (

    select {key} as _record_key, {read}
    from audiences.{audience} as audience
    where {key} in (select record_key from batch)

)

select
    batch.position, batch.operation, batch.operation_id, batch.member_id, batch.is_resend, batch.is_known,
    coalesce({fingerprint} = batch.fingerprint and audience.profile_id = batch.profile_id, false),
    {is_consented},
    {arm},
    {delivered},
    {columns}
from batch
left join audience on audience._record_key = batch.record_key
left join consented on batch.profile_id = consented.profile_id
{journal}
order by batch.position
"""
_LEAVING = """
select
    plan.position, plan.operation, plan.operation_id, plan.member_id, plan.is_resend, journal.identifiers, plan.kept
from activation.plan as plan
inner join activation.journal as journal
    on journal.sync_name = ? and journal.member_id = plan.member_id
where plan.run_id = ? and plan.position between ? and ? and plan.operation <> 'release'
order by plan.position
"""


_JOURNAL = "left join activation.journal as journal on journal.sync_name = ? and batch.member_id = journal.member_id"
# What is there for certain: no send without an answer, no resync, no refusal after a first step since.
_DELIVERED = """
case
    when journal.pending_operation is null and journal.delivered_fingerprint is not null then journal.delivered_fields
end
"""
_HEAD = 10  # columns before those of the audience


@dataclass(frozen=True, slots=True)
class Planned:
    """A change of the plan with its position, and why it is not sent after all, if so."""

    position: int
    change: Change
    is_resend: bool
    is_known: bool = True  # the journal has the member already
    outcome: str = ""  # suppressed, moved or rejected; empty: to be sent
    code: str = ""
    kept: Mapping[str, Scalar] = field(default_factory=dict)  # of a removal: identifiers that others have, not sent


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
    mapper, asks = Mapper(identity), identity.spec.names_changes
    rows = warehouse.execute(
        _ENTERING.format(
            consented=consented(sync, "and profile_id in (select profile_id from batch)"),
            fingerprint=f"'{REMOVED}'" if removes else payload_of(sync, identity.unreadable, "audience"),
            is_consented="true" if removes else "coalesce(consented.is_granted, 0) = 1",
            arm=sync.split.sql("audience.profile_id") if sync.split else "null",
            delivered=_DELIVERED if asks else "null",
            journal=_JOURNAL if asks else "",
            columns=", ".join(f"audience.{quoted(column)}" for column in mapper.columns),
            read=", ".join(f"audience.{quoted(column)}" for column in {"profile_id", *mapper.columns}),
            audience=quoted(sync.audience),
            key=f"cast(audience.{quoted(sync.key)} as varchar)",
        ),
        [run_id, first, last, *([sync.name] if asks else [])],
    )
    return [_planned(identity, mapper, row[:_HEAD], row[_HEAD:]) for row in rows]


def _planned(identity: Identity, mapper: Mapper, head: Sequence[Any], row: Sequence[Any]) -> Planned:
    position, operation, operation_id, member_id, is_resend, is_known, is_as_planned, is_consented, arm, delivered = (
        head
    )
    sync, spec = identity.sync, identity.spec
    if not is_consented:
        change = Change(operation_id, operation, member_id, {})
        return Planned(position, change, is_resend, is_known, "suppressed", "no_consent")
    fields, cleared, given = mapper.map(operation, row, arm)
    found_by = identity.found_by(given) if is_as_planned else {}
    is_same = identity.identify is None or sync.mode == "append_events" or member_of(found_by) == member_id
    outcome, code = "", ""
    if not is_as_planned or (found_by and not is_same):
        outcome, code = "moved", "changed_since_planned"
    elif is_resend and not spec.repeats_unknown:
        outcome, code = "rejected", "may_have_arrived"
    elif code := (
        flaw({**found_by, **fields}, () if operation == "remove" else spec.required)
        or mapper.wrong_type(row)
        or ("" if found_by else identity.reason(given))
        or readable(spec, found_by, fields)
    ):
        outcome = "rejected"
    change = Change(operation_id, operation, member_id, found_by, {} if operation == "remove" else fields, cleared)
    if spec.names_changes:
        change = replace(change, changed=changed(change, delivered))
    return Planned(position, change, is_resend, is_known, outcome, code)


def leaving(warehouse: Warehouse, identity: Identity, run_id: str, *, first: int, last: int) -> list[Planned]:
    """Read removals, each with the identifiers that were delivered, whatever became of the row since."""
    planned = []
    for position, operation, operation_id, member_id, is_resend, identifiers, kept in warehouse.execute(
        _LEAVING, [identity.sync.name, run_id, first, last]
    ):
        goes: Mapping[str, Scalar] = json.loads(identifiers)
        stays: Mapping[str, Scalar] = {}
        if kept and identity.ways is not None:
            goes, stays = parted(goes, identity.ways, kept.split(","))
        change = Change(operation_id, operation, member_id, goes)
        code = readable(identity.spec, change.identifiers, {})
        planned.append(Planned(position, change, is_resend, outcome="rejected" if code else "", code=code, kept=stays))
    return planned
