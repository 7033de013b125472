"""Read one batch of the plan as it is now: fresh consent, fresh values, delivered identifiers."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from reverse_etl.desired import fingerprint_of
from reverse_etl.destination import Change, Spec, identifiers_of
from reverse_etl.payload import flaw, scalar
from reverse_etl.sync import Sync
from reverse_etl.warehouse import Warehouse, quoted

_ENTERING = """
with

batch as (

    select * from activation.plan
    where run_id = ? and position between ? and ?

),

consented as (

    select profile_id, min(case when is_granted then 1 else 0 end) as is_granted
    from profiles.consents
    where purpose = ? and channel = ? and profile_id in (select profile_id from batch)
    group by profile_id

)

select
    batch.position, batch.operation, batch.operation_id, batch.member_id, batch.is_resend,
    coalesce({fingerprint} = batch.fingerprint and audience.profile_id = batch.profile_id, false),
    coalesce(consented.is_granted, 0) = 1,
    {columns}
from batch
left join audiences.{audience} as audience on cast(audience.{key} as varchar) = batch.record_key
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
    """First and last position of each batch, and whether it is of removals: a batch has one shape."""
    for is_removal, first, last in warehouse.execute(
        """
        select operation = 'remove', min(position), max(position)
        from activation.plan where run_id = ? group by operation = 'remove' order by 2
        """,
        [run_id],
    ):
        for start in range(first, last + 1, size):
            yield start, min(start + size - 1, last), is_removal


def entering(warehouse: Warehouse, sync: Sync, spec: Spec, run_id: str, *, first: int, last: int) -> list[Planned]:
    """Read additions and changes; mark those without consent by now, changed since, or unfit to leave."""
    identity = sorted(identifiers_of(sync, spec).items())
    columns = [*sync.fields, *(column for _, column in identity)]
    rows = warehouse.execute(
        _ENTERING.format(
            fingerprint=fingerprint_of(sync, "audience"),
            columns=", ".join(f"audience.{quoted(column)}" for column in columns),
            audience=quoted(sync.audience),
            key=quoted(sync.key),
        ),
        [run_id, first, last, sync.purpose, sync.channel],
    )
    names = list(sync.fields.values())
    planned = []
    for position, operation, operation_id, member_id, is_resend, is_as_planned, is_consented, *values in rows:
        scalars = [scalar(value) for value in values]
        fields = dict(zip(names, scalars, strict=False))
        found_by = dict(zip((name for name, _ in identity), scalars[len(names) :], strict=True))
        outcome, code = "", ""
        if not is_consented:
            outcome, code = "suppressed", "no_consent"
        elif not is_as_planned:
            outcome, code = "moved", "changed_since_planned"
        elif code := flaw(fields, spec.required):
            outcome = "rejected"
        change = Change(operation_id, operation, member_id, found_by, fields)
        planned.append(Planned(position, change, is_resend, outcome, code))
    return planned


def leaving(warehouse: Warehouse, sync: Sync, run_id: str, *, first: int, last: int) -> list[Planned]:
    """Read removals, each with the identifiers that were delivered, whatever became of the row since."""
    return [
        Planned(position, Change(operation_id, operation, member_id, json.loads(identifiers)), is_resend)
        for position, operation, operation_id, member_id, is_resend, identifiers in warehouse.execute(
            _LEAVING, [sync.name, run_id, first, last]
        )
    ]
