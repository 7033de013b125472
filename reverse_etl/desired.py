"""Who should be at a destination now: the audience, its consent and its fingerprints, without any payload."""

from dataclasses import dataclass

from reverse_etl.consent import consented
from reverse_etl.fingerprint import encoded, payload_of
from reverse_etl.identity import GIVEN, Identity, identify_new, value_names
from reverse_etl.policy import NO_POLICY, Policy, excluded_sql
from reverse_etl.split import HOLDOUT
from reverse_etl.sync import BadDeclaration, Sync
from reverse_etl.warehouse import Warehouse, quoted

DESIRED = "_activation_desired"  # a temporary table: a row for each of the audience, `is_desired` to be sent
REMOVED = "removed"  # the fingerprint of who a sync in mode `remove` has removed

_ROWS = """
select
    cast(audience.{key} as varchar) as record_key,
    cast(audience.profile_id as varchar) as profile_id,
    md5({identity}) as given_id,
    {fingerprint} as fingerprint,
    {is_given} as is_given,
    {is_consented} as is_consented,
    sure.profile_id is not null as is_sure,
    {arm} as arm,
    {is_excluded} as is_excluded{values}
from audiences.{audience} as audience
left join ({consented}) as consented on audience.profile_id = consented.profile_id
left join ({sure}) as sure on audience.profile_id = sure.profile_id
"""
_DESIRED = f"""
create temporary table {DESIRED} as
select
    given.record_key, given.profile_id, given.fingerprint, given.is_consented, given.is_sure, given.arm,
    given.is_excluded,
    {{member}} as member_id,
    {{is_identified}} as is_identified,
    {{is_identified}} and given.is_consented and given.is_sure and not given.is_excluded
        and given.arm <> '{HOLDOUT}' as is_desired
from {{given}} as given {{identities}}
"""
_IDENTITIES = """
left join (
    select given_id, min(member_id) as member_id from activation.identities
    where sync_name = ? and rules = ? group by given_id
) as identities on given.given_id = identities.given_id
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

_IN = f"is_consented and not is_excluded and arm <> '{HOLDOUT}'"
_COUNTS = f"""
select
    count(*), count(record_key), count(distinct record_key),
    count(case when is_consented then 1 end),
    count(case when is_consented and is_excluded then 1 end),
    count(case when is_consented and not is_excluded and arm = '{HOLDOUT}' then 1 end),
    count(case when {_IN} and not is_identified then 1 end),
    count(case when {_IN} and is_identified and not is_sure then 1 end),
    count(case when is_desired then 1 end),
    count(distinct case when is_desired then member_id end)
from {DESIRED}
"""


class PlanRefused(ValueError):
    """The audience can't be planned: duplicate or missing keys, missing tables."""


@dataclass(frozen=True, slots=True)
class Desired:
    """The audience in counts of rows."""

    audience: int
    unconsented: int  # without consent for these purposes and this channel
    excluded: int  # consented, but on an exclusion list or wanted by a sync that goes before
    held_out: int  # consented, but in the holdout
    unidentified: int  # to be sent, but without anything the destination could find them by
    unsure: int  # to be sent, but identity is less sure who they are than the sync asks
    duplicate: int  # to be sent, but another row has the same identifiers
    desired: int


def lay_out(warehouse: Warehouse, identity: Identity, policy: Policy = NO_POLICY) -> Desired:
    """Fill the temporary table and count it; identify whom the cache doesn't know.

    Call it outside a transaction: what was identified should outlive a plan that is thrown away. Raises
    PlanRefused when keys are missing or repeated: the difference would be wrong.
    """
    sync = identity.sync
    _check_tables(warehouse, sync, policy)
    _fill(warehouse, identity, policy)
    rows, keys, distinct_keys, consenting, *rest = warehouse.execute(_COUNTS)[0]
    excluded, held_out, unidentified, unsure, speaking, desired = rest
    if distinct_keys < rows:
        raise PlanRefused(
            f"audiences.{sync.audience}: {rows - keys} rows without {sync.key}, {keys - distinct_keys} rows "
            f"that repeat one; make {sync.key} unique and not null, or set another key in {sync.name}.yml"
        )
    if desired < speaking:
        warehouse.execute(_ONE_EACH)
    return Desired(rows, rows - consenting, excluded, held_out, unidentified, unsure, speaking - desired, desired)


def _fill(warehouse: Warehouse, identity: Identity, policy: Policy) -> None:
    for table in (DESIRED, GIVEN):
        warehouse.execute(f"drop table if exists {table}")
    rows, member = _rows(identity, policy), "given.given_id"
    if identity.identify is None:
        given, identities, parameters, is_identified = f"({rows})", "", [], "given.is_given"
    else:
        warehouse.execute(f"create temporary table {GIVEN} as {rows}")
        identify_new(warehouse, identity)
        given, identities, parameters = GIVEN, _IDENTITIES, [identity.sync.name, identity.rules]
        member, is_identified = "identities.member_id", "identities.member_id is not null"
    if identity.sync.mode == "append_events":
        member = "md5(concat('event/', given.record_key))"  # one person may have many
    warehouse.execute(
        _DESIRED.format(given=given, identities=identities, member=member, is_identified=is_identified),
        parameters,
    )
    warehouse.execute(f"drop table if exists {GIVEN}")
    if warehouse.is_row_store:
        warehouse.execute(f"analyze {DESIRED}")


def _rows(identity: Identity, policy: Policy) -> str:
    sync = identity.sync
    columns = list(identity.columns.values())
    values = zip(columns, value_names(identity), strict=True) if identity.identify else ()
    removes = sync.mode == "remove"  # whoever is to be removed need not consent to it
    return _ROWS.format(
        key=quoted(sync.key),
        audience=quoted(sync.audience),
        identity=encoded(identity.columns, "audience"),
        fingerprint=f"'{REMOVED}'" if removes else payload_of(sync, identity.unreadable, "audience"),
        is_given=" or ".join(f"audience.{quoted(column)} is not null" for column in columns),
        is_consented="true" if removes else "coalesce(consented.is_granted, 0) = 1",
        arm=sync.split.sql("audience.profile_id") if sync.split else "'sent'",
        is_excluded=excluded_sql(policy, "audience.profile_id"),
        values="".join(f",\n    audience.{quoted(column)} as {name}" for column, name in values),
        consented=consented(sync),
        sure=_SURE[sync.min_confidence].format(audience=quoted(sync.audience)),
    )


def columns_of(warehouse: Warehouse, schema: str, table: str) -> set[str]:
    """List the columns of a table or view; empty when there is none."""
    found = warehouse.execute(
        "select column_name from information_schema.columns where table_schema = ? and table_name = ?",
        [schema, table],
    )
    return {str(name) for (name,) in found}


def _check_tables(warehouse: Warehouse, sync: Sync, policy: Policy) -> None:
    """Refuse with a sentence what the engine would refuse with a stack trace."""
    columns = columns_of(warehouse, "audiences", sync.audience)
    if not columns:
        raise PlanRefused(f"no table audiences.{sync.audience}: build it with dbt, or correct {sync.name}.yml")
    unknown = sorted(({sync.key, "profile_id"} | set(sync.columns)) - columns)
    if unknown:
        raise BadDeclaration(
            f"{sync.name}.yml: audiences.{sync.audience} has no column {', '.join(unknown)}; "
            f"it has {', '.join(sorted(columns))}"
        )
    for other in (*policy.exclude, *(higher.audience for higher in policy.higher)):
        if "profile_id" not in columns_of(warehouse, "audiences", other):
            raise PlanRefused(f"{sync.name}: no table audiences.{other} with a profile_id, which a policy reads")
    if sync.min_confidence != "loose" and "confidence" not in columns_of(warehouse, "profiles", "profiles"):
        raise PlanRefused(
            f"{sync.name} asks for min_confidence, but no profiles.profiles.confidence: build it with dbt"
        )
    if not columns_of(warehouse, "profiles", "consents"):
        raise PlanRefused("no table profiles.consents: build it with dbt; without it nobody consents")
