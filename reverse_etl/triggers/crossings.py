"""Who entered or left an audience since the last look."""

from datetime import datetime

from reverse_etl.triggers.duration import moment
from reverse_etl.triggers.trigger import Trigger
from reverse_etl.warehouse import Warehouse, quoted

# Every crossing counts one; 0 is who was there when the trigger was first looked at: that is no news.
_CHANGED = """
update activation.trigger_members as members set
    is_in = not members.is_in,
    entry = members.entry + 1,
    changed_at = {now}
where members.trigger_name = '{name}'
    and members.is_in <> (
        members.profile_id in (select profile_id from audiences.{audience} where profile_id is not null)
    )
"""
_UNKNOWN = """
insert into activation.trigger_members (trigger_name, profile_id, is_in, entry, changed_at)
select distinct '{name}', audience.profile_id, true, {entry}, {now}
from audiences.{audience} as audience
where audience.profile_id is not null
    and audience.profile_id not in (
        select profile_id from activation.trigger_members where trigger_name = '{name}'
    )
on conflict do nothing
"""


def note_crossings(warehouse: Warehouse, trigger: Trigger, now: datetime) -> None:
    """Note who entered or left."""
    for statement in (_CHANGED, _UNKNOWN):
        warehouse.execute(statement.format(**_words(trigger, now), entry=1))


def note_who_is_there(warehouse: Warehouse, trigger: Trigger, now: datetime) -> None:
    """Begin with who is in the audience."""
    warehouse.execute(_UNKNOWN.format(**_words(trigger, now), entry=0))


def _words(trigger: Trigger, now: datetime) -> dict[str, str]:
    return {"name": trigger.name, "now": moment(now), "audience": quoted(trigger.when.audience or "")}
