"""The whole resolver over a graph in a warehouse file, each step in a process of its own.

    python -m tests.benchmarks.identity_graph.resolver make WAREHOUSE LINKS.duckdb
    python -m tests.benchmarks.identity_graph.resolver tell WAREHOUSE PAIRS BATCH
    python -m tests.benchmarks.identity_graph.resolver full|free|batch WAREHOUSE
    python -m tests.benchmarks.identity_graph.resolver read WAREHOUSE BATCH
    python -m tests.benchmarks.identity_graph.resolver differing WAREHOUSE BATCH

`full` and `free` resolve everything, with the limits of the project's seed and with none; `batch` what changed.
`read` only reads what a batch reaches, its rows and their pairs, by plain SQL.
Metered is the dbt model: from its start to its end, all statements, nothing of dbt's start-up.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import duckdb

from tests.benchmarks.identity_graph.meter import Meter
from tests.benchmarks.identity_graph.project import MACROS, Project

MODELS = {
    "nodes": "select * from main.nodes_told",
    "pairs": "select * from main.pairs_told",
    "rules": "select * from main.rules_told",
    "resolved": """
        {{ config(materialized='resolution', nodes='nodes', rules='rules') }}
        -- depends_on: {{ ref('nodes') }} {{ ref('rules') }}
        select * from {{ ref('pairs') }}
    """,
}
SEED = MACROS.parent / "seeds" / "identifier_rules.csv"
LIMITS = [
    "max_per_profile", "max_per_window", "window_days", "max_user_ids", "max_loyalty_numbers", "max_crm_contacts",
    "max_emails",
]  # fmt: skip

# When something arrived depends on its ids alone: a day of two years.
ARRIVED = "timestamp '2024-01-01' + to_days((hash({}) % 730)::integer)"
PAIRS = """
select links.left_node_id, links.right_node_id,
    greatest(left_rules.priority, right_rules.priority)::integer as tier,
    {arrived} as first_landed_at, null::varchar as decision, true as is_live, {batch}::bigint as _batch
from {links} as links
join rules_all as left_rules on links.left_node_id >> 59 = left_rules.type_code
join rules_all as right_rules on links.right_node_id >> 59 = right_rules.type_code
"""
NODES = """
select node_id, {arrived} as first_landed_at, false as is_blocked, {batch}::bigint as _shape_batch
from (select left_node_id as node_id from {links} union select right_node_id from {links})
"""
# A new cookie of somebody known (55 %), two that nobody knew (35 %), two people that become one (10 %).
NEWS = """
create or replace temp table news as
with
known as (
    select node_id, row_number() over (order by hash(node_id, {batch})) - 1 as place
    from nodes_told where node_id >> 59 in (0, 4)
    order by place limit {pairs} * 2
),
news as (
    select range as number, ((10::bigint << 59) | (hash(range, {batch}, 'new') >> 5)::bigint) as cookie
    from range({pairs})
)
select least(one, other) as left_node_id, greatest(one, other) as right_node_id
from (
    select case when number % 20 between 11 and 17 then ((4::bigint << 59) | (hash(cookie, 'mail') >> 5)::bigint)
            else known.node_id end as one,
        case when number % 20 > 17 then others.node_id else cookie end as other
    from news
    join known on known.place = number
    join known as others on others.place = number + {pairs}
)
where one <> other
"""

ENDS = """
select left_node_id as node_id from pairs_told where _batch = {batch}
union select right_node_id from pairs_told where _batch = {batch}
"""
READ_ONCE = [
    "create temp table ends_known as select component_id from resolved where node_id in (select node_id from ends)",
    "create temp table known as from resolved where component_id in (select component_id from ends_known)",
    "create temp table by_left as from pairs_told where left_node_id in (select node_id from known)",
    "create temp table by_right as from pairs_told where right_node_id in (select node_id from ends)",
]


def make(warehouse: Path, links: Path) -> dict:
    with duckdb.connect(str(warehouse), config={"preserve_insertion_order": "false"}) as connection:
        connection.execute(f"attach '{links}' as given (read_only)")
        connection.execute(f"create table rules_all as from read_csv('{SEED}')")
        limits = ", ".join(f"try_cast({name} as integer) as {name}" for name in LIMITS)
        connection.execute(f"create table rules_on as select * replace ({limits}) from rules_all")
        unlimited = ", ".join(f"null::integer as {name}" for name in LIMITS)
        connection.execute(f"create table rules_off as select * replace ({unlimited}) from rules_all")
        add(connection, "create table {} as {}", "given.links", 1)
    with tempfile.TemporaryDirectory() as folder:
        use_rules(warehouse, "on")
        project_of(Path(folder), warehouse).dbt("run", "--exclude", "resolved")
    return {}


def add(connection: duckdb.DuckDBPyConnection, into: str, links: str, batch: int) -> None:
    pairs = PAIRS.format(links=links, batch=batch, arrived=ARRIVED.format("left_node_id, right_node_id"))
    nodes = NODES.format(links=links, batch=batch, arrived=ARRIVED.format("node_id"))
    known = "" if batch == 1 else " where node_id not in (select node_id from nodes_told)"
    connection.execute(into.format("pairs_told", pairs))
    connection.execute(into.format("nodes_told", nodes + known))


def tell(warehouse: Path, pairs: int, batch: int) -> dict:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(NEWS.format(pairs=pairs, batch=batch))
        connection.execute("delete from news where exists (from pairs_told as told where told.left_node_id ="
                           " news.left_node_id and told.right_node_id = news.right_node_id)")  # fmt: skip
        add(connection, "insert into {} {}", "news", batch)
        return {"pairs": connection.execute("select count(*) from news").fetchall()[0][0]}


def use_rules(warehouse: Path, which: str) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(f"create or replace table rules_told as from rules_{which}")


def project_of(folder: Path, warehouse: Path) -> Project:
    return Project(folder, warehouse=str(warehouse), metered="resolved").build(models=MODELS)


def resolve(warehouse: Path, which: str) -> dict:
    use_rules(warehouse, "off" if which == "free" else "on")
    with tempfile.TemporaryDirectory() as folder:
        project = project_of(Path(folder), warehouse)
        project.dbt("run", "--select", "resolved", *([] if which == "batch" else ["--full-refresh"]))
    with duckdb.connect(str(warehouse)) as connection:
        if which == "batch":
            connection.execute("create or replace table resolved_by_batch as from resolved")
        profiles, biggest = connection.execute(
            "select count(*), max(members) from (select count(*) as members from resolved group by group_id)"
        ).fetchall()[0]
    return {
        **project.meter.cost.as_dict(), "statements": len(project.statements), "profiles": profiles, "biggest": biggest,
    }  # fmt: skip


def read_once(warehouse: Path, batch: int) -> dict:
    meter = Meter()
    with duckdb.connect(str(warehouse), config={"preserve_insertion_order": "false"}) as connection:
        connection.execute(f"create temp table ends as {ENDS.format(batch=batch)}")
        meter.begin()
        for statement in READ_ONCE:
            connection.execute(statement).fetchall()
        meter.end()
    return meter.cost.as_dict()


def differing(warehouse: Path, batch: int) -> dict:
    """Rows that the last batch run and the last full run say differently, and how far the batch reached."""
    said = "select columns(name -> name not like '\\_%' escape '\\') from {}"
    with duckdb.connect(str(warehouse)) as connection:
        different = sum(
            connection.execute(f"select count(*) from ({said.format(one)} except {said.format(other)})").fetchall()[0][
                0
            ]
            for one, other in (("resolved", "resolved_by_batch"), ("resolved_by_batch", "resolved"))
        )
        changed = "select count(*) from resolved_by_batch where _batch = (select max(_batch) from resolved_by_batch)"
        touched = f"select component_id from resolved where node_id in ({ENDS.format(batch=batch)})"
        scope = f"select count(*) from resolved where component_id in ({touched})"
        counts = [connection.execute(query).fetchall()[0][0] for query in (changed, scope)]
    return {"differing": different, "changed": counts[0], "scope": counts[1]}


def main() -> dict:
    command, warehouse, *rest = sys.argv[1:]
    path = Path(warehouse)
    if command == "make":
        return make(path, Path(rest[0]))
    if command == "tell":
        return tell(path, int(rest[0]), int(rest[1]))
    if command == "read":
        return read_once(path, int(rest[0]))
    if command == "differing":
        return differing(path, int(rest[0]))
    return resolve(path, command)


if __name__ == "__main__":
    print(json.dumps(main()))
