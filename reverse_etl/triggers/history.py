"""What became of a trigger's people lately: decisions, messages, and what data failed to say. Counts only."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from reverse_etl.triggers.duration import moment
from reverse_etl.warehouse import Warehouse

# Of what is forgotten the day is known, not the moment.
_DECIDED = """
select outcome, cast(sum(firing_count) as bigint)
from (
    select outcome, count(*) as firing_count
    from activation.trigger_firings
    where trigger_name = ? and decided_at >= {since}
    group by outcome
    union all
    select outcome, firing_count
    from activation.trigger_outcomes
    where trigger_name = ? and decided_on >= cast({since} as date)
) as counts
group by outcome
order by 2 desc, 1
"""
_SECONDS = "extract(epoch from ({later} - {earlier}))"


@dataclass(frozen=True)
class History:
    """Of one trigger, since a moment."""

    trigger: str
    since: datetime
    waiting: int
    decided: dict[str, int]  # by outcome
    messages: list[tuple[str, str, str | None, int]]  # channel, state, code, how many
    scrap: list[tuple[str, str, int]]  # field, reason, how many
    seconds_to_acknowledged: dict[str, float]  # from due: p50, p95, p99

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def history(warehouse: Warehouse, trigger: str, now: datetime, days: int = 7) -> History:
    """Sum up the last days."""
    since = now - timedelta(days=days)
    [(waiting,)] = warehouse.execute(
        "select count(*) from activation.trigger_firings where trigger_name = ? and outcome is null", [trigger]
    )
    decided = [
        (outcome, int(count))
        for outcome, count in warehouse.execute(_DECIDED.format(since=moment(since)), [trigger] * 2)
    ]
    messages = warehouse.execute(
        "select channel, state, code, count(*) from activation.outbox "
        f"where trigger_name = ? and decided_at >= {moment(since)} group by 1, 2, 3 order by 4 desc, 1, 2, 3",
        [trigger],
    )
    scrap = warehouse.execute(
        "select field, reason, count(*) from activation.message_scrap "
        f"where trigger_name = ? and scrapped_at >= {moment(since)} group by 1, 2 order by 3 desc, 1, 2",
        [trigger],
    )
    return History(
        trigger, since, int(waiting), dict(decided), [tuple(row) for row in messages], [tuple(row) for row in scrap],
        _delays(warehouse, trigger, since),
    )  # fmt: skip


def _delays(warehouse: Warehouse, trigger: str, since: datetime) -> dict[str, float]:
    seconds = _SECONDS.format(later="acknowledged_at", earlier="greatest(due_at, coalesce(received_at, due_at))")
    marks = ", ".join(
        f"percentile_cont({share}) within group (order by {seconds})" for share in ("0.5", "0.95", "0.99")
    )
    [found] = warehouse.execute(
        f"select {marks} from activation.outbox "
        f"where trigger_name = ? and acknowledged_at is not null and decided_at >= {moment(since)}",
        [trigger],
    )
    named = zip(("p50", "p95", "p99"), found, strict=True)
    return {name: round(float(value), 3) for name, value in named if value is not None}
