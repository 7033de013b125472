"""Grouping from text: the project's ids and macro against hops of the smallest label.

The hops re-express, from its description, how RudderStack's open dbt-id-stitching works: identifiers are
their lower-cased text without a type, a run lets the smallest label travel three links, and runs are
repeated until one changes nothing. Here a run is one statement; starting dbt for each isn't counted.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import duckdb

from tests.benchmarks.identity_graph.meter import Meter
from tests.benchmarks.identity_graph.project import Project

TYPES = {0: "user_id", 4: "email", 6: "phone", 7: "card_fingerprint", 8: "order_id", 9: "device_id", 10: "anonymous_id"}
DIGEST = """
select count(*), sum(hash(value, smallest)::hugeint)::text
from (select value, min(value) over (partition by component_id) as smallest from {})
"""
WARM = "select sum(length(left_value)), sum(length(right_value)) from given.links"

ENCODE = """
{% macro group_text() %}
    {% do run_query(\"""" + WARM + """\") %}
    {% do log('meter: begin') %}
    {% do run_script(scratch('encoded', 'select ' ~ node_id('left_code', 'left_type', 'left_value') ~ ' as one, '
        ~ node_id('right_code', 'right_type', 'right_value') ~ ' as other from given.links')
        + scratch('pairs', 'select distinct least(one, other) as left_node_id, greatest(one, other) as right_node_id'
        ~ ' from encoded where one <> other'), 'pairs') %}
    {% do connected_components('pairs', 'found') %}
    {% do log('meter: end') %}
    {% do write_scratch('named', 'select distinct value, component_id from found join ('
        ~ 'select ' ~ node_id('left_code', 'left_type', 'left_value') ~ ' as node_id, left_value as value'
        ~ ' from given.links union all '
        ~ 'select ' ~ node_id('right_code', 'right_type', 'right_value') ~ ', right_value from given.links'
        ~ ') using (node_id)') %}
    {% do log('answer: ' ~ run_query(\"""" + DIGEST.format("named") + """\").rows[0].values() | list | tojson) %}
{% endmacro %}
"""  # fmt: skip

HOP = """
select id, min(label) as label
from (
    select lower(edges.one) as id, labels.label
    from edges join labels{before} as labels on lower(edges.other) = labels.id
    union all
    select lower(edges.other), labels.label
    from edges join labels{before} as labels on lower(edges.one) = labels.id
    union all
    select id, label from labels{before}
)
group by id
"""
RUN = (
    "create table hopped as with "
    + ", ".join(f"labels{hop} as ({HOP.format(before=hop - 1 or '')})" for hop in (1, 2, 3))
    + " from labels3"
)


def make_text(path: Path, numbered: Path) -> Path:
    """The links of another file with text of 32 characters for each identifier, and its type."""
    cases = " ".join(f"when {code} then '{name}'" for code, name in TYPES.items())
    columns = ", ".join(
        f"md5({side}_node_id::text) as {side}_value, ({side}_node_id >> 59)::integer as {side}_code,"
        f" case {side}_node_id >> 59 {cases} end as {side}_type"
        for side in ("left", "right")
    )
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"attach '{numbered}' as given (read_only)")
        connection.execute(f"create table links as select {columns} from given.links")
    return path


def contend_text(links: Path) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder), links=links).build(ENCODE)
        project.dbt("run-operation", "group_text")
    digest = [str(value) for value in json.loads(project.said[0])]
    return {**project.meter.cost.as_dict(), "digest": digest, "rounds": 1}


def contend_hops(links: Path) -> dict:
    connection, meter, runs = duckdb.connect(config={"preserve_insertion_order": "false"}), Meter(), 0
    connection.execute(f"attach '{links}' as given (read_only)")
    connection.execute(WARM).fetchall()
    meter.begin()
    connection.execute("create table edges as select left_value as one, right_value as other from given.links")
    connection.execute(
        "create table labels as select lower(one) as id, lower(one) as label from edges"
        " union select lower(other), lower(other) from edges"
    )
    changed = 1
    while changed:
        connection.execute(RUN)
        changed = connection.execute(
            "select count(*) from hopped join labels using (id) where hopped.label <> labels.label"
        ).fetchall()[0][0]
        connection.execute("drop table labels")
        connection.execute("alter table hopped rename to labels")
        runs += 1
    meter.end()
    answer = connection.execute(DIGEST.format("(select id as value, label as component_id from labels)")).fetchall()[0]
    return {**meter.cost.as_dict(), "digest": [str(value) for value in answer], "rounds": runs}
