"""The last look before messages leave: judged again, filled in, and the intent written; one transaction."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reverse_etl.destination import Change, Destination
from reverse_etl.identity import Identity, identity_of, member_of
from reverse_etl.messages.message import Message, Scrapped, render
from reverse_etl.payload import flaw, readable, scalar
from reverse_etl.sync import Channel
from reverse_etl.triggers.contents import read_values
from reverse_etl.triggers.duration import moment
from reverse_etl.triggers.redirects import lay_out_people
from reverse_etl.triggers.trigger import ADDRESS, Trigger
from reverse_etl.triggers.verdict import QUIET, SEND, VERDICTS, judge
from reverse_etl.warehouse import Warehouse

AT_ONCE = 10  # messages between two looks at consent, where a destination takes one in a request
FOREVER = 10 * 365 * 86_400

_WAITING = """
select outbox.message_id, outbox.profile_id, firings.reason, firings.product_id, firings.cart_id, firings.source_id,
    outbox.occurred_at, outbox.received_at, outbox.due_at, outbox.channel
from activation.outbox as outbox
inner join activation.trigger_firings as firings
    on outbox.message_id = firings.message_id and outbox.occurred_at = firings.occurred_at  -- of many, those of then
where outbox.trigger_name = '{name}' and outbox.channel = '{channel}'
    and outbox.state in ('pending', 'sending', 'unknown') and outbox.wake_at <= {now}
order by outbox.decided_at, outbox.message_id
limit {limit}
"""
_JUDGED = f"""
select
    verdicts.message_id, verdicts.verdict, verdicts.wake_at, outbox.state, outbox.attempts, outbox.sent_at,
    outbox.occurred_at
from {VERDICTS} as verdicts
inner join activation.outbox as outbox on verdicts.message_id = outbox.message_id
order by outbox.decided_at, outbox.message_id
"""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that is about to leave."""

    message_id: str
    change: Change
    attempts: int
    is_uncertain: bool  # an earlier attempt may have arrived


@dataclass
class Prepared:
    letters: list[Letter] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)  # of those that don't leave now
    seen: int = 0


@dataclass
class _Desk:
    """One batch of one trigger and channel."""

    warehouse: Warehouse
    trigger: Trigger
    channel: Channel
    message: Message
    identity: Identity
    now: datetime
    prepared: Prepared

    def write(self, message_id: str, state: str, code: str) -> None:
        self.warehouse.execute(
            "update activation.outbox set state = ?, code = ? where message_id = ?", [state, code, message_id]
        )
        self.prepared.outcomes[code if state == "dropped" else state] += 1

    def postpone(self, message_id: str, wake_at: datetime) -> None:
        self.warehouse.execute("update activation.outbox set wake_at = ? where message_id = ?", [wake_at, message_id])
        self.prepared.outcomes[QUIET] += 1

    def scrap(self, message_id: str, field_name: str, reason: str) -> None:
        """Count what data failed to say; neither the value nor the person."""
        self.warehouse.execute(
            "insert into activation.message_scrap "
            "(message_id, trigger_name, channel, message_name, field, reason, scrapped_at) "
            "values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
            [message_id, self.trigger.name, self.channel, self.message.name, field_name, reason, self.now],
        )


def prepare(
    warehouse: Warehouse,
    trigger: Trigger,
    channel: Channel,
    destination: Destination,
    now: datetime,
    *,
    limit: int | None = None,
) -> Prepared:
    """Give the messages that leave now, their intents written; the others are settled or postponed."""
    limit = limit or _at_once(destination)
    waiting = _WAITING.format(name=trigger.name, channel=channel, now=moment(now), limit=limit)
    lay_out_people(warehouse, f"select profile_id from ({waiting}) as waiting")
    judge(warehouse, trigger, waiting, now)
    identity = identity_of(trigger.sync(channel), destination)
    desk = _Desk(warehouse, trigger, channel, trigger.message(channel), identity, now, Prepared())
    memory = remembers(destination)
    leaving, happened = {}, {}
    for message_id, verdict, wake_at, state, attempts, sent_at, occurred_at in warehouse.execute(_JUDGED):
        desk.prepared.seen += 1
        is_uncertain = state != "pending"
        may_go = not is_uncertain or (sent_at is not None and max(now, wake_at) < sent_at + memory)
        if verdict == QUIET and may_go:
            desk.postpone(message_id, wake_at)
        elif is_uncertain and (verdict != SEND or not may_go):
            desk.write(message_id, "may_have_arrived", "may_have_arrived")
        elif verdict != SEND:
            desk.write(message_id, "dropped", verdict)
        else:
            leaving[message_id], happened[message_id] = (attempts, is_uncertain), occurred_at
    _fill(desk, leaving, happened)
    return desk.prepared


def remembers(destination: Destination) -> timedelta:
    """For how long what may have arrived can be sent again without arriving twice."""
    spec = destination.spec
    if not (spec.honours_operation_ids and spec.repeats_unknown):
        return timedelta(0)
    return timedelta(seconds=float(getattr(destination, "remembers_seconds", FOREVER)))


def _at_once(destination: Destination) -> int:
    # Where a repeat isn't recognised, a kill may leave one message in doubt, not ten.
    size = destination.spec.batch_rows
    return max(AT_ONCE, size) if remembers(destination) else size


def _fill(desk: _Desk, leaving: dict[str, tuple[int, bool]], happened: dict[str, datetime]) -> None:
    values = read_values(desk.warehouse, desk.trigger, desk.channel, desk.message, happened)
    for message_id, (attempts, is_uncertain) in leaving.items():
        to, given = values.get(message_id, (None, {}))
        try:
            rendered = render(desk.message, given)
        except Scrapped as scrapped:
            desk.scrap(message_id, scrapped.field, scrapped.reason)
            desk.write(message_id, "may_have_arrived" if is_uncertain else "scrap", str(scrapped))
            continue
        for field_name, reason in rendered.fallbacks.items():
            desk.scrap(message_id, field_name, f"fallback_{reason}")
        address = {ADDRESS.get(desk.channel, "profile_id"): scalar(to)}
        found_by = desk.identity.found_by(address)
        fields = {**address, **rendered.parts}
        code = (
            ("" if found_by else desk.identity.reason(address))
            or flaw({**found_by, **fields}, desk.identity.spec.required)
            or readable(desk.identity.spec, found_by, fields)
        )
        if code:
            desk.write(message_id, "may_have_arrived" if is_uncertain else "scrap", code)
            continue
        desk.prepared.letters.append(
            Letter(message_id, Change(message_id, "add", member_of(found_by), found_by, fields), attempts, is_uncertain)
        )
    _intend(desk)


def _intend(desk: _Desk) -> None:
    for letter in desk.prepared.letters:
        desk.warehouse.execute(
            "update activation.outbox set state = 'sending', attempts = attempts + 1, "
            "sent_at = coalesce(sent_at, ?) where message_id = ?",
            [desk.now, letter.message_id],
        )
