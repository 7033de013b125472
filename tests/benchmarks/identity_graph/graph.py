"""A graph of identifiers as a customer data platform meets it: the same links for the same number of them.

Of the people 85 % have 2–8 identifiers, 15 % have 8–20 and 0.05 % form chains of 30–200; every fifth link
closes a cycle. Supernodes: an address typed by everybody (0.2 % of the links), a kiosk (0.05 %), a phone
(0.02 %), and for each 10,000 people a device that 50–350 of them share. Of the people 2 % were once told
together with another, which breaks limits. Rows lie in a random order.

`hash` may differ between versions of DuckDB, so a graph is the same only for the version that made it.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

LINKS_OF_A_PERSON = 6.97

PEOPLE = """
create temp table people as
select person, person % 2000 = 7 as is_chain,
    case
        when person % 2000 = 7 then 30 + hash(person, 'length') % 171
        when person % 20 < 17 then 2 + hash(person, 'size') % 7
        else 8 + hash(person, 'size') % 13
    end::integer as size
from range({people}) as all_people(person)
"""

MEMBERS = """
create temp table members as
with
numbered as (select person, is_chain, unnest(range(size))::integer as slot from people),
typed as (
    select *, hash(person, slot) as dice,
        case
            when slot = 0 then case when hash(person, 'known') % 10 < 6 then 0 else 4 end
            when slot = 1 then case when hash(person, 'second') % 10 < 7 then 4 else 10 end
            when slot = 2 then case when hash(person, 'third') % 10 < 4 then 6 else 10 end
            else case
                when hash(person, slot, 'type') % 100 < 3 then 4
                when hash(person, slot, 'type') % 100 < 6 then 7
                when hash(person, slot, 'type') % 100 < 26 then 8
                when hash(person, slot, 'type') % 100 < 51 then 9
                else 10
            end
        end as type_code
    from numbered
)
select person, slot, {node} as node_id,
    case when is_chain or slot = 1 then slot - 1 when dice % 10 < 6 then 0
        else ((dice >> 4) % slot::ubigint)::integer end as parent,
    case when not is_chain and slot > 1 and (dice >> 10) % 100 < 56
        then ((dice >> 17) % slot::ubigint)::integer end as cycle
from typed
"""
NODE = "(type_code::bigint << 59) | ((hash({}) >> 5)::bigint)"

USES = """
create temp table uses as
select distinct {device} as node_id, (hash(device, use) % {people}::ubigint)::bigint as person
from range({people} // 10000) as devices(device), range(350) as uses(use)
where use < 50 + (hash(device, 'uses') % 301)::bigint
"""

LINKS = """
create table links as
with
told as (
    select node_id as one, person, parent as slot from members where slot > 0
    union all
    select node_id, person, cycle from members where cycle <> parent
),
within as (select told.one, members.node_id as other from told join members using (person, slot)),
shared as (
    select {super_email} as one, node_id as other from members where slot = 0 and person < {links} * 0.002
    union all
    select {kiosk}, node_id from members
    where slot = 0 and person between {people} * 0.3 and {people} * 0.3 + {links} * 0.0005
    union all
    select {super_phone}, node_id from members
    where slot = 0 and person between {people} * 0.6 and {people} * 0.6 + {links} * 0.0002
    union all
    select uses.node_id, members.node_id from uses join members using (person) where members.slot = 0
    union all
    select ones.node_id, others.node_id
    from members as ones join members as others on others.person = ones.person + 1 and others.slot = 1
    where ones.slot = 1 and ones.person % 50 = 3
)
select least(one, other) as left_node_id, greatest(one, other) as right_node_id
from (from within union all from shared)
order by hash(one, other, 'shuffle')
limit {links}
"""


def typed(type_code: int, *names: str) -> str:
    return NODE.format(", ".join(names)).replace("type_code", str(type_code))


def make(path: Path, links: int) -> Path:
    """A DuckDB file with the table `links` (left_node_id < right_node_id, each pair once)."""
    people = max(int(links / LINKS_OF_A_PERSON * 1.01), 20)
    with duckdb.connect(str(path)) as connection:
        connection.execute(PEOPLE.format(people=people))
        connection.execute(MEMBERS.format(node=NODE.format("person, slot, 'node'")))
        connection.execute(USES.format(people=people, device=typed(9, "device", "'shared'")))
        connection.execute(
            LINKS.format(
                links=links,
                people=people,
                super_email=typed(4, "'test@test.com'"),
                kiosk=typed(9, "'kiosk'"),
                super_phone=typed(6, "'front desk'"),
            )
        )
        made = connection.execute("select count(*) from links").fetchall()[0][0]
    if made != links:
        raise AssertionError(f"{made:,} links were made, {links:,} were asked for")
    return path


def make_chain(path: Path, length: int) -> Path:
    """Ids 0, 1, 2 … each linked to the next."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"create table links as select range as left_node_id, range + 1 as right_node_id from range({length - 1})"
        )
    return path
