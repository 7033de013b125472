"""Who should be at a destination now: the audience, its consent and its fingerprints, without any payload."""

from collections.abc import Mapping
from dataclasses import dataclass

from reverse_etl.destination import Spec, identifiers_of
from reverse_etl.sync import BadDeclaration, Sync
from reverse_etl.warehouse import Warehouse, quoted

DESIRED = "_activation_desired"  # a temporary table: a row for each of the audience, `is_desired` to be sent

# Any denial wins over any grant of the same profile; no row means no.
CONSENTED = """
    select profile_id, min(case when is_granted then 1 else 0 end) as is_granted
    from profiles.consents
    where purpose = ? and channel = ?
    group by profile_id
"""

_ROWS = """
create temporary table {desired} as
with

consented as ({consented}),

sure as ({sure}),

audience as (

    select
        cast(audience.{key} as varchar) as record_key,
        cast(audience.profile_id as varchar) as profile_id,
        md5({identity}) as member_id,
        {fingerprint} as fingerprint,
        {is_identified} as is_identified,
        coalesce(consented.is_granted, 0) = 1 as is_consented,
        sure.profile_id is not null as is_sure
    from audiences.{audience} as audience
    left join consented on audience.profile_id = consented.profile_id
    left join sure on audience.profile_id = sure.profile_id

)

select audience.*, is_identified and is_consented and is_sure as is_desired from audience
"""

# How sure identity is that a profile is one person; every profile is at least loose.
_SURE = {
    "exact": "select profile_id from profiles.profiles where confidence = 'exact'",
    "strict": "select profile_id from profiles.profiles where confidence in ('exact', 'strict')",
    "loose": "select distinct profile_id from audiences.{audience}",
}

# Rows that share their identifiers are one member: sent once, and removed when the last of them leaves.
_ONE_EACH = f"""
update {DESIRED} as shared set is_desired = false
from (
    select member_id, min(record_key) as record_key
    from {DESIRED}
    where is_desired
    group by member_id
    having count(*) > 1
) as speaker
where shared.is_desired and shared.member_id = speaker.member_id and shared.record_key <> speaker.record_key
"""


_COUNTS = f"""
select
    count(*), count(record_key), count(distinct record_key),
    count(case when is_consented then 1 end),
    count(case when is_consented and not is_identified then 1 end),
    count(case when is_consented and is_identified and not is_sure then 1 end),
    count(distinct case when is_desired then member_id end)
from {DESIRED}
"""


class PlanRefused(ValueError):
    """The audience can't be planned: duplicate or missing keys, missing tables."""


@dataclass(frozen=True, slots=True)
class Desired:
    """The audience in counts of rows."""

    audience: int
    unconsented: int  # without consent for this purpose and channel
    unidentified: int  # consented, but without anything the destination could find them by
    unsure: int  # consented, but identity is less sure who they are than the sync asks
    duplicate: int  # consented, but another row has the same identifiers
    desired: int


def encoded(columns: Mapping[str, str], table: str) -> str:
    """Write SQL for a text of named columns that differs whenever a name or a value does, nulls included."""
    parts = []
    for name, column in sorted(columns.items()):
        value = f"cast({table}.{quoted(column)} as varchar)"
        # `concat` skips nulls: a missing value has no length, an empty one has length 0.
        parts.append(f"concat('{name}=', length({value}), ':', {value})")
    return " || ".join(parts)


def fingerprint_of(sync: Sync, table: str) -> str:
    """Write SQL for the fingerprint of what would be sent: mapped columns only."""
    return f"md5({encoded({name: column for column, name in sync.fields.items()}, table)})"


def lay_out(warehouse: Warehouse, sync: Sync, spec: Spec) -> Desired:
    """Fill the temporary table and count it.

    Raises PlanRefused when keys are missing or repeated: the difference would be wrong.
    """
    _check_tables(warehouse, sync)
    identity = identifiers_of(sync, spec)
    warehouse.execute(f"drop table if exists {DESIRED}")
    warehouse.execute(
        _ROWS.format(
            desired=DESIRED,
            consented=CONSENTED,
            key=quoted(sync.key),
            audience=quoted(sync.audience),
            identity=encoded(identity, "audience"),
            fingerprint=fingerprint_of(sync, "audience"),
            sure=_SURE[sync.min_confidence].format(audience=quoted(sync.audience)),
            is_identified=" or ".join(f"audience.{quoted(c)} is not null" for c in identity.values()),
        ),
        [sync.purpose, sync.channel],
    )
    rows, keys, distinct_keys, consented, unidentified, unsure, desired = warehouse.execute(_COUNTS)[0]
    if distinct_keys < rows:
        raise PlanRefused(
            f"audiences.{sync.audience}: {rows - keys} rows without {sync.key}, {keys - distinct_keys} rows "
            f"that repeat one; make {sync.key} unique and not null, or set another key in {sync.name}.yml"
        )
    duplicate = consented - unidentified - unsure - desired
    if duplicate:
        warehouse.execute(_ONE_EACH)
    return Desired(rows, rows - consented, unidentified, unsure, duplicate, desired)


def columns_of(warehouse: Warehouse, schema: str, table: str) -> set[str]:
    """List the columns of a table or view; empty when there is none."""
    found = warehouse.execute(
        "select column_name from information_schema.columns where table_schema = ? and table_name = ?",
        [schema, table],
    )
    return {str(name) for (name,) in found}


def _check_tables(warehouse: Warehouse, sync: Sync) -> None:
    """Refuse with a sentence what the engine would refuse with a stack trace."""
    columns = columns_of(warehouse, "audiences", sync.audience)
    if not columns:
        raise PlanRefused(f"no table audiences.{sync.audience}: build it with dbt, or correct {sync.name}.yml")
    unknown = sorted(({sync.key, "profile_id"} | set(sync.fields)) - columns)
    if unknown:
        raise BadDeclaration(
            f"{sync.name}.yml: audiences.{sync.audience} has no column {', '.join(unknown)}; "
            f"it has {', '.join(sorted(columns))}"
        )
    if sync.min_confidence != "loose" and "confidence" not in columns_of(warehouse, "profiles", "profiles"):
        raise PlanRefused(
            f"{sync.name} asks for min_confidence, but no profiles.profiles.confidence: build it with dbt"
        )
    if not columns_of(warehouse, "profiles", "consents"):
        raise PlanRefused("no table profiles.consents: build it with dbt; without it nobody consents")
