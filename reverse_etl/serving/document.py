"""A profile as one document, as SQL over the profile tables; the same for a snapshot of all and for one person now."""

from collections.abc import Sequence

from reverse_etl.warehouse import Warehouse, quoted

ONE, PART = "profile_id = ?", "right(profile_id, 1) = ?"  # a person; those whose id ends so
PARAMETERS = 4
EVENTS = 20  # the latest of each person
IDENTITY = (
    "email",
    "phone",
    "first_name",
    "last_name",
    "city",
    "postal_code",
    "country_code",
    "user_id",
    "loyalty_number",
)
TRAITS = (
    "preferred_channel", "favourite_category", "order_count", "order_amount", "year_order_count", "year_order_amount",
    "average_order_amount", "recency_score", "frequency_score", "monetary_score", "first_order_at", "last_order_at",
    "last_seen_at",
)  # fmt: skip
EVENT = ("event_name", "event_type", "page_name", "product_id", "order_id", "cart_id", "amount", "occurred_at")
# What identifiers are called to the outside; an address and its hash are one.
NAMES = {"email_sha256": "email"}

_DOCUMENTS = """
with

people as (select * from profiles.profiles {those}),

consented as (

    select profile_id, {list}{object}(
        'purpose', purpose, 'channel', channel, 'status', status, 'decided_at', {decided_at}
    ) order by purpose, channel{end} as consents
    from profiles.consents
    {those}
    group by profile_id

),

members as (

    select profile_id, {list}audience order by audience{end} as audiences
    from ({audiences}) as audiences
    {those}
    group by profile_id

),

latest as (

    select events.*
    from (
        select
            events.*,
            row_number() over (partition by profile_id order by occurred_at desc, event_id) as recency
        from profiles.profile_events as events
        {those}
    ) as events
    where recency <= {most}

),

happened as (

    select profile_id, {list}{object}({event}) order by recency{end} as events
    from latest
    group by profile_id

)

select
    people.profile_id,
    cast({object}(
        'profile_id', people.profile_id,
        'confidence', people.confidence,
        'identity', {object}({identity}),
        'traits', {object}({traits}),
        'consents', consented.consents,
        'audiences', members.audiences,
        'events', happened.events
    ) as varchar) as document
from people
left join profiles.traits as traits on people.profile_id = traits.profile_id
left join consented on people.profile_id = consented.profile_id
left join members on people.profile_id = members.profile_id
left join happened on people.profile_id = happened.profile_id
"""


def documents_sql(warehouse: Warehouse, chosen: str) -> str:
    """Write the SQL for the documents of the profiles that `chosen` is true of, given PARAMETERS times.

    In parts: the documents of a million people are gigabytes before they are packed.
    """
    there = set(warehouse.execute("select table_schema, table_name, column_name from information_schema.columns"))
    audiences = sorted({table for schema, table, column in there if (schema, column) == ("audiences", "profile_id")})
    has = {column for schema, table, column in there if (schema, table) == ("profiles", "traits")}
    row = warehouse.is_row_store
    return _DOCUMENTS.format(
        those=f"where {chosen}",
        most=EVENTS,
        object="json_build_object" if row else "json_object",
        list="json_agg(" if row else "to_json(list(",
        end=")" if row else "))",
        decided_at=_moment("decided_at"),
        identity=_pairs("people", IDENTITY),
        traits=_pairs("traits", [column for column in TRAITS if column in has]),
        event=_pairs("latest", EVENT),
        audiences=_members(audiences),
    )


def _members(audiences: Sequence[str]) -> str:
    found = [
        f"select distinct profile_id, '{name}' as audience from audiences.{quoted(name)} where profile_id is not null"
        for name in audiences
    ]
    return " union all ".join(found) or "select '' as profile_id, '' as audience where false"


def _pairs(table: str, columns: Sequence[str]) -> str:
    named = ((column, f"{table}.{column}") for column in columns)
    return ", ".join(f"'{column}', {_moment(name) if column.endswith('_at') else name}" for column, name in named)


def _moment(column: str) -> str:
    return f"replace(cast({column} as varchar), ' ', 'T') || 'Z'"


IDENTIFIERS = """
select profile_id, identifier_type, identifier_value
from identity.profile_identifiers
where not is_shared and identifier_type in (
    'user_id', 'email', 'email_sha256', 'phone', 'loyalty_number', 'order_id', 'anonymous_id', 'device_id'
)
union all
select current_profile_id, 'profile_id', profile_id from identity.profile_redirects where not is_current
union all
select profile_id, 'profile_id', profile_id from profiles.profiles
"""
