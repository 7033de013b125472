"""What a cycle would do now, and why the others hear nothing; nothing of it stays, nothing is sent."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, NoReturn

from reverse_etl.contended import contended
from reverse_etl.destination import load_destination
from reverse_etl.triggers.contents import check_columns
from reverse_etl.triggers.decide import decide_due
from reverse_etl.triggers.duration import moment
from reverse_etl.triggers.occasions import Look
from reverse_etl.triggers.opening import open_triggers
from reverse_etl.triggers.prepare import prepare
from reverse_etl.triggers.tables import open_tables
from reverse_etl.triggers.trigger import Trigger
from reverse_etl.triggers.verdict import SEND
from reverse_etl.warehouse import Warehouse

ALL = 1_000_000


@dataclass
class Preview:
    """Counts of people and reasons, of one trigger."""

    trigger: str
    new: int = 0  # happened since the last look
    waiting: int = 0  # not due yet
    not_told: dict[str, int] = field(default_factory=dict)  # due, by reason
    leaving: dict[str, int] = field(default_factory=dict)  # by channel
    kept_back: dict[str, int] = field(default_factory=dict)  # would leave, but for what the message lacks
    fallbacks: dict[str, int] = field(default_factory=dict)  # by field and reason: leave, but without that value

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class _Seen(Exception):
    def __init__(self, found: list[Preview]) -> None:
        super().__init__()
        self.found = found


def preview(warehouse: Warehouse, triggers: Sequence[Trigger], now: datetime) -> list[Preview]:
    """Preview one cycle of all triggers: a cap is over all of them."""
    open_tables(warehouse)
    for trigger in triggers:
        check_columns(warehouse, trigger)

    def once() -> NoReturn:
        raise _Seen(_cycle(warehouse, triggers, now))  # so that nothing of it stays

    try:
        contended(warehouse, once)
    except _Seen as seen:
        return seen.found


def _cycle(warehouse: Warehouse, triggers: Sequence[Trigger], now: datetime) -> list[Preview]:
    before = _opened(warehouse)
    open_triggers(warehouse, triggers, now, Look.ALL)
    after, waiting = _opened(warehouse), _opened(warehouse, f"where outcome is null and wake_at > {moment(now)}")
    decisions = decide_due(warehouse, triggers, now)
    found = []
    for trigger in triggers:
        name = trigger.name
        counts = {verdict: count for verdict, count in decisions.counts.get(name, {}).items() if verdict != SEND}
        one = Preview(name, after[name] - before[name], waiting[name], counts)
        _leave(warehouse, trigger, now, one)
        found.append(one)
    return found


def _opened(warehouse: Warehouse, where: str = "") -> Counter[str]:
    return Counter(
        dict(
            warehouse.execute(
                f"select trigger_name, count(*) from activation.trigger_firings {where} group by trigger_name"
            )
        )
    )


def _leave(warehouse: Warehouse, trigger: Trigger, now: datetime, found: Preview) -> None:
    """Fill in what would leave, as far as it is filled in before it does."""
    warehouse.execute("delete from activation.message_scrap where trigger_name = ?", [trigger.name])
    kept_back: Counter[str] = Counter()
    if trigger.list and (count := _on_lists(warehouse, trigger)):
        found.leaving["ads"] = count
    for channel in trigger.send:
        prepared = prepare(warehouse, trigger, channel, load_destination(trigger.sync(channel)), now, limit=ALL)
        if prepared.letters:
            found.leaving[channel] = len(prepared.letters)
        kept_back += Counter({word: count for word, count in prepared.outcomes.items() if word != "scrap"})
    scraps = warehouse.execute(
        "select reason, field, count(*) from activation.message_scrap where trigger_name = ? "
        "group by 1, 2 order by 1, 2",
        [trigger.name],
    )
    for reason, name, count in scraps:
        if str(reason).startswith("fallback_"):
            found.fallbacks[f"{name} ({str(reason).removeprefix('fallback_')})"] = count
        else:
            kept_back[f"{reason}_{name}"] += count
    found.kept_back = dict(kept_back)


def _on_lists(warehouse: Warehouse, trigger: Trigger) -> int:
    """Count who would be put on a list, or taken off one: by the trigger of the list, or the one that says so."""
    [(count,)] = warehouse.execute(
        "select count(*) from activation.list_members where (is_wanted and acknowledged_at is null and trigger_name = ?"
        ") or (not is_wanted and is_held and ? = case when reason in ('expired', 'revoked') then trigger_name "
        "else coalesce(reason, trigger_name) end)",
        [trigger.name, trigger.name],
    )
    return int(count)
