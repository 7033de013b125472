"""Quiet hours: until when nobody in a time zone is to be disturbed, as a table for the decision."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from reverse_etl.triggers.duration import moment
from reverse_etl.triggers.parts import QuietHours


def quiet_until(hours: QuietHours, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When quiet ends there, in naive UTC; None when it isn't quiet now."""
    local = now.replace(tzinfo=UTC).astimezone(zone)
    clock = local.time()
    over_midnight = hours.begin > hours.until
    is_quiet = (clock >= hours.begin or clock < hours.until) if over_midnight else hours.begin <= clock < hours.until
    if not is_quiet:
        return None
    day = local.date() + timedelta(days=1 if over_midnight and clock >= hours.begin else 0)
    # The last of two such moments, where clocks are set back: quiet must be over in both readings.
    end = datetime.combine(day, hours.until, tzinfo=zone).replace(fold=1).astimezone(UTC).replace(tzinfo=None)
    return max(end, now + timedelta(minutes=1))


def zones_sql(hours: QuietHours | None, zones: Iterable[str], now: datetime) -> str:
    """Write SQL: a row for each zone where it is quiet now; '' is where a person's zone is not known."""
    rows = []
    if hours is not None:
        there = available_timezones()  # a walk through the system's files
        known = {name: ZoneInfo(name) for name in sorted(set(zones)) if name in there}
        unknown = sorted(set(zones) - set(known))
        named = {**known, **dict.fromkeys(unknown, hours.zone), "": hours.zone}
        for name, zone in named.items():
            if end := quiet_until(hours, zone, now):
                quoted = name.replace("'", "''")
                rows.append(f"select '{quoted}' as time_zone, {moment(end)} as quiet_until")
    nowhere = "select '' as time_zone, cast(null as timestamp) as quiet_until where false"
    return " union all ".join(rows) or nowhere
