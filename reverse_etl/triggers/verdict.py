"""The decision, as one piece of SQL over the warehouse and the time: may this person be told this now, and how.

It is asked when a firing is due, and again before its message leaves; both read the same words.
"""

from collections.abc import Sequence
from datetime import datetime

from reverse_etl.consent import consented
from reverse_etl.split import HOLDOUT
from reverse_etl.triggers.bought import bought_sql
from reverse_etl.triggers.duration import interval, moment
from reverse_etl.triggers.quiet import zones_sql
from reverse_etl.triggers.trigger import ADDRESS, ADS, Trigger
from reverse_etl.warehouse import Warehouse, quoted

VERDICTS = "_trigger_verdicts"  # a temporary table: a row for each candidate
SEND, QUIET = "send", "quiet_hours"
# Why nothing is sent, in the order in which it is asked, and in the words of `cdp trigger plan`.
REASONS = {
    "expired": "too late to say it",
    "unknown_person": "no such profile any more",
    "bought": "bought meanwhile",
    "left": "no longer in the audience",
    "came_back": "back in the audience",
    "unsure": "not sure enough who it is",
    HOLDOUT: "held out, to compare with",
    "no_consent": "no consent for any of its channels",
    "unreachable": "consent, but no address or number",
    QUIET: "quiet hours, asked again afterwards",
    "frequency_cap": "was told enough lately",
}
COLUMNS = (
    "message_id", "trigger_name", "person_id", "product_id", "channel", "verdict", "wake_at", "priority",
    "received_at", "due_at", "cap_messages", "cap_from",
)  # fmt: skip

# Call `lay_out_people` before. Candidates: message_id, profile_id, reason, product_id, cart_id, source_id,
# occurred_at, received_at, due_at, channel (null: any).
_VERDICTS = """
insert into {verdicts} ({columns})
with

candidates as (

    select asked.*, coalesce(redirects.current_profile_id, asked.profile_id) as person_id
    from ({candidates}) as asked
    left join _trigger_redirects as redirects on asked.profile_id = redirects.profile_id

),

bought as ({bought}),

quiet as ({zones}),

ways as ({ways}),

best as (

    select
        ways.*,
        row_number() over (
            partition by ways.message_id
            order by ways.is_granted desc, ways.is_reachable desc, coalesce(preferred.position, 1000), ways.position
        ) as choice
    from ways
    left join (
        select profile_id, channel, position
        from profiles.contact_preferences
        where profile_id in (select person_id from candidates where person_id is not null)
    ) as preferred
        on ways.profile_id = preferred.profile_id and ways.channel = preferred.channel

),

judged as (

    select
        candidates.message_id,
        candidates.person_id,
        candidates.product_id,
        candidates.received_at,
        candidates.due_at,
        best.channel,
        quiet.quiet_until,
        case
            when candidates.due_at + {expires} < {now} then 'expired'
            when people.profile_id is null then 'unknown_person'
            when bought.message_id is not null then 'bought'
            {still}
            when not {is_sure} then 'unsure'
            when {arm} = '{holdout}' then '{holdout}'
            when coalesce(best.is_granted, 0) = 0 then 'no_consent'
            when coalesce(best.is_reachable, 0) = 0 then 'unreachable'
            when quiet.quiet_until is not null then '{quiet_word}'
            else '{send}'
        end as verdict
    from candidates
    left join _trigger_people as people on candidates.person_id = people.profile_id
    left join bought on candidates.message_id = bought.message_id
    left join best on candidates.message_id = best.message_id and best.choice = 1
    left join quiet on people.time_zone = quiet.time_zone

)

select
    message_id, '{name}', person_id, product_id, channel, verdict,
    case when verdict = '{quiet_word}' then quiet_until else {now} end,
    {priority}, received_at, due_at, {cap_messages}, {now} - interval '{cap_days} days'
from judged
"""
_ASKED = "and profile_id in (select person_id from candidates where person_id is not null)"
_SURE = {"exact": "('exact')", "strict": "('exact', 'strict')"}


def judge(warehouse: Warehouse, trigger: Trigger, candidates: str, now: datetime, *, is_new: bool = True) -> None:
    """Add the verdict on each candidate to the temporary table; `is_new` begins it."""
    if is_new:
        begin(warehouse)
    warehouse.execute(_sql(trigger, candidates, now, _zones(warehouse, trigger)))


def begin(warehouse: Warehouse) -> None:
    warehouse.execute(f"drop table if exists {VERDICTS}")
    warehouse.execute(
        f"create temporary table {VERDICTS} (message_id varchar, trigger_name varchar, person_id varchar, "
        "product_id varchar, channel varchar, verdict varchar, wake_at timestamp, priority bigint, "
        "received_at timestamp, due_at timestamp, cap_messages bigint, cap_from timestamp)"
    )


def _zones(warehouse: Warehouse, trigger: Trigger) -> list[str]:
    if trigger.quiet_hours is None:
        return []
    found = warehouse.execute("select distinct time_zone from profiles.time_zones where time_zone is not null")
    return [str(zone) for (zone,) in found]


def _sql(trigger: Trigger, candidates: str, now: datetime, zones: Sequence[str]) -> str:
    return _VERDICTS.format(
        verdicts=VERDICTS,
        columns=", ".join(COLUMNS),
        candidates=candidates,
        bought=bought_sql(trigger, now),
        zones=zones_sql(trigger.quiet_hours, zones, now),
        ways=_ways(trigger),
        still=_still(trigger),
        is_sure=f"coalesce(people.confidence in {_SURE[trigger.min_confidence]}, false)"
        if trigger.min_confidence in _SURE
        else "true",
        arm=trigger.split.sql("candidates.person_id") if trigger.split else "'sent'",
        expires=interval(trigger.expires),
        now=moment(now),
        name=trigger.name,
        holdout=HOLDOUT,
        quiet_word=QUIET,
        send=SEND,
        priority=trigger.priority,
        cap_messages=trigger.cap.messages,
        cap_days=trigger.cap.days,
    )


def _ways(trigger: Trigger) -> str:
    """Write SQL: for each candidate and channel, whether it is consented and leads to the person."""
    if trigger.list:
        return _list_way(trigger)
    return " union all ".join(
        f"""
        select
            candidates.message_id, people.profile_id, '{channel}' as channel, {position} as position,
            case when consented.is_granted = 1 then 1 else 0 end as is_granted,
            case when people.{ADDRESS.get(channel, "profile_id")} is not null then 1 else 0 end as is_reachable
        from candidates
        inner join _trigger_people as people on candidates.person_id = people.profile_id
        left join ({consented(trigger.sync(channel), _ASKED)})
            as consented on people.profile_id = consented.profile_id
        where candidates.channel is null or candidates.channel = '{channel}'
        """
        for position, channel in enumerate(trigger.send)
    )


def _list_way(trigger: Trigger) -> str:
    """Write SQL for a list: to be put on it needs consent, to be taken off it needs none."""
    step, is_granted, joined = trigger.list, "1", ""
    if step and step.add:
        is_granted = "case when consented.is_granted = 1 then 1 else 0 end"
        chosen = consented(trigger.list_sync(step.add), _ASKED)
        joined = f"left join ({chosen}) as consented on people.profile_id = consented.profile_id"
    return f"""
    select
        candidates.message_id, people.profile_id, '{ADS}' as channel, 0 as position,
        {is_granted} as is_granted, 1 as is_reachable
    from candidates
    inner join _trigger_people as people on candidates.person_id = people.profile_id
    {joined}
    """


def _still(trigger: Trigger) -> str:
    """Write SQL for what an audience says now; of an event nothing more is asked."""
    when = trigger.when
    if not when.audience:
        return ""
    # `not in` a list with a null is never true.
    members = f"select profile_id from audiences.{quoted(when.audience)} where profile_id is not null"
    if when.leaves:
        return f"when candidates.person_id in ({members}) then 'came_back'"
    if when.rows:
        key = " || '/' || ".join(f"cast({quoted(column)} as varchar)" for column in trigger.reasons)
        members = f"select concat(profile_id, '/', {key}) from audiences.{quoted(when.audience)}"
        return f"when concat(candidates.person_id, '/', candidates.reason) not in ({members}) then 'left'"
    return f"when candidates.person_id not in ({members}) then 'left'"
