"""What other identifier rules would change: who merges and splits, which audiences and consents follow."""

from dataclasses import dataclass, field

from dagster_cdp.identity.masking import masked
from reverse_etl.desired import columns_of
from reverse_etl.warehouse import Warehouse, quoted

EXAMPLES = 5


@dataclass(frozen=True)
class Example:
    """One profile that would merge or split, before and after."""

    profile_ids: list[str]  # before a merge, after a split
    into_or_from: str
    identifiers: list[str]  # masked, a few


@dataclass(frozen=True)
class AudienceChange:
    """Members by person: whoever is in before and after, under whichever profile, is neither in nor out."""

    members_before: int
    members_after: int
    coming_in: int
    going_out: int


@dataclass(frozen=True)
class ConsentChange:
    """People of today who could be reached for a purpose on a channel and no more, or the other way round."""

    purpose: str
    channel: str
    granted: int
    no_longer_granted: int


@dataclass(frozen=True)
class Consequences:
    """The proposed rules against the real tables."""

    profiles_before: int
    profiles_after: int
    profiles_merging: int  # of today's
    merged_into: int
    profiles_splitting: int  # of today's
    split_into: int
    identifiers_dropped: int
    identifiers_added: int
    merges: list[Example] = field(default_factory=list)
    splits: list[Example] = field(default_factory=list)
    audiences: dict[str, AudienceChange] = field(default_factory=dict)
    consents: list[ConsentChange] = field(default_factory=list)


def compare(warehouse: Warehouse, prefix: str) -> Consequences:
    """The tables in the schemas with `prefix` against those without."""
    moved = _moved(prefix)
    before, after, merging, merged, splitting, split = (
        int(count) for count in warehouse.execute(f"{moved} {_COUNTS}")[0]
    )
    dropped, added = _unmatched(warehouse, prefix)
    return Consequences(
        profiles_before=before,
        profiles_after=after,
        profiles_merging=merging,
        merged_into=merged,
        profiles_splitting=splitting,
        split_into=split,
        identifiers_dropped=dropped,
        identifiers_added=added,
        merges=_examples(warehouse, moved, "new_id", "old_id"),
        splits=_examples(warehouse, moved, "old_id", "new_id"),
        audiences={name: _audience(warehouse, moved, prefix, name) for name in _audiences(warehouse, prefix)},
        consents=_consents(warehouse, moved, prefix),
    )


def _moved(prefix: str) -> str:
    """Which profile of today shares how many identifiers with which one of the trial."""
    return f"""
    with moved as (
        select was.profile_id as old_id, would.profile_id as new_id, count(*) as identifier_count
        from identity.profile_identifiers as was
        inner join {prefix}identity.profile_identifiers as would
            on was.identifier_type = would.identifier_type and was.identifier_value = would.identifier_value
        group by was.profile_id, would.profile_id
    ),
    merging as (select new_id from moved group by new_id having count(*) > 1),
    splitting as (select old_id from moved group by old_id having count(*) > 1)
    """


_COUNTS = """
    select
        (select count(distinct old_id) from moved),
        (select count(distinct new_id) from moved),
        (select count(distinct old_id) from moved where new_id in (select new_id from merging)),
        (select count(*) from merging),
        (select count(*) from splitting),
        (select count(distinct new_id) from moved where old_id in (select old_id from splitting))
"""


def _unmatched(warehouse: Warehouse, prefix: str) -> tuple[int, int]:
    """Identifiers that belong to somebody only today, and only in the trial."""
    tables = "identity.profile_identifiers", f"{prefix}identity.profile_identifiers"
    dropped, added = (
        int(
            warehouse.execute(
                f"select count(*) from {one} as here left join {other} as there"
                " on here.identifier_type = there.identifier_type and here.identifier_value = there.identifier_value"
                " where there.profile_id is null"
            )[0][0]
        )
        for one, other in (tables, tables[::-1])
    )
    return dropped, added


def _examples(warehouse: Warehouse, moved: str, whole: str, part: str) -> list[Example]:
    """The largest: of `new_id` with several `old_id`, which are merges, or the other way round."""
    rows = warehouse.execute(
        f"{moved} select {whole} from moved group by {whole} having count(*) > 1"
        f" order by sum(identifier_count) desc, {whole} limit {EXAMPLES}"
    )
    examples = []
    for (profile,) in rows:
        parts = warehouse.execute(
            f"{moved} select {part} from moved where {whole} = ? order by identifier_count desc, {part}", [profile]
        )
        ids = [str(one) for (one,) in parts]
        examples.append(Example(ids, str(profile), _identifiers(warehouse, ids if part == "old_id" else [profile])))
    return examples


def _identifiers(warehouse: Warehouse, today: list[str]) -> list[str]:
    """A few identifiers of today's profiles, masked."""
    rows = warehouse.execute(
        "select identifier_type, identifier_value from identity.profile_identifiers"
        f" where profile_id in ({', '.join('?' * len(today))}) and identifier_type <> 'email_sha256'"
        f" order by node_id limit {EXAMPLES}",
        today,
    )
    return [f"{kind} {masked(kind, value)}" for kind, value in rows]


def _audiences(warehouse: Warehouse, prefix: str) -> list[str]:
    rows = warehouse.execute(
        "select table_name from information_schema.tables where table_schema = ? order by table_name",
        [f"{prefix}audiences"],
    )
    names = [str(name) for (name,) in rows]
    return [name for name in names if "profile_id" in columns_of(warehouse, "audiences", name)]


def _audience(warehouse: Warehouse, moved: str, prefix: str, name: str) -> AudienceChange:
    now, then = f"audiences.{quoted(name)}", f"{prefix}audiences.{quoted(name)}"
    row = warehouse.execute(
        f"""
        {moved}, staying as (
            select moved.old_id, moved.new_id
            from moved
            inner join {now} as now_in on moved.old_id = now_in.profile_id
            inner join {then} as then_in on moved.new_id = then_in.profile_id
        )
        select
            (select count(distinct profile_id) from {now}),
            (select count(distinct profile_id) from {then}),
            (select count(distinct profile_id) from {then} where profile_id not in (select new_id from staying)),
            (select count(distinct profile_id) from {now} where profile_id not in (select old_id from staying))
        """
    )[0]
    return AudienceChange(*(int(count) for count in row))


def _consents(warehouse: Warehouse, moved: str, prefix: str) -> list[ConsentChange]:
    if not columns_of(warehouse, f"{prefix}profiles", "consents"):
        return []
    rows = warehouse.execute(
        f"""
        {moved}, asked as (
            select purpose, channel from profiles.consents
            union
            select purpose, channel from {prefix}profiles.consents
        ),
        answered as (
            select asked.purpose, asked.channel, moved.old_id,
                coalesce(now_is.is_granted, false) as is_granted,
                coalesce(then_is.is_granted, false) as would_be_granted
            from moved
            cross join asked
            left join profiles.consents as now_is on moved.old_id = now_is.profile_id
                and asked.purpose = now_is.purpose and asked.channel = now_is.channel
            left join {prefix}profiles.consents as then_is on moved.new_id = then_is.profile_id
                and asked.purpose = then_is.purpose and asked.channel = then_is.channel
        )
        select purpose, channel,
            count(distinct case when not is_granted and would_be_granted then old_id end),
            count(distinct case when is_granted and not would_be_granted then old_id end)
        from answered group by purpose, channel order by purpose, channel
        """
    )
    return [ConsentChange(str(purpose), str(channel), int(more), int(less)) for purpose, channel, more, less in rows]
