"""The ways to group links that are compared; each runs alone in a process of its own.

    python -m tests.benchmarks.identity_graph.contenders NAME LINKS.duckdb

prints what it cost and a digest of the partition, as JSON.
"""

from __future__ import annotations

import ctypes
import json
import logging
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa

from tests.benchmarks.identity_graph.meter import Meter
from tests.benchmarks.identity_graph.project import Project
from tests.benchmarks.identity_graph.text_keys import contend_hops, contend_text

WARM = "select sum(left_node_id), sum(right_node_id) from given.links"
DIGEST = "select count(*), sum(hash(node_id, component_id)::hugeint)::text from {}"
MACRO = """
{% macro group_links() %}
    {% do run_query(\"""" + WARM + """\") %}
    {% do log('meter: begin') %}
    {% do connected_components('given.links', 'found') %}
    {% do log('meter: end') %}
    {% do log('answer: ' ~ run_query(\"""" + DIGEST.format("found") + """\").rows[0].values() | list | tojson) %}
{% endmacro %}
"""  # fmt: skip


def contend_macro(links: Path) -> dict:
    """The project's macro, run by dbt. dbt's start-up isn't metered, the compiling of each statement is."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder), links=links).build(MACRO)
        project.dbt("run-operation", "group_links")
        rounds = {int(found) for sql in project.statements for found in re.findall(r"found_hooks_(\d+)", sql)}
    return {
        **project.meter.cost.as_dict(),
        "digest": [str(value) for value in json.loads(project.said[0])],
        "rounds": max(rounds, default=-1) + 1,
        "statements": len(project.statements),
    }


def contend_splink(links: Path) -> dict:
    """Splink's clustering without a threshold: every link counts. It needs the nodes too, which are given."""
    from splink import DuckDBAPI
    from splink.clustering import cluster_pairwise_predictions_at_threshold

    connection, meter, iterations = opened(links), Meter(), []
    connection.execute("create table edges as from given.links")
    connection.execute(
        "create table nodes as select left_node_id as node_id from edges union select right_node_id from edges"
    )
    counter = logging.Handler()
    counter.emit = lambda record: iterations.append(record) if "Completed iteration" in record.getMessage() else None
    told = logging.getLogger("splink.internals.connected_components")
    told.addHandler(counter)
    told.setLevel(logging.INFO)
    told.propagate = False
    connection.execute("select sum(node_id) from nodes").fetchall()
    meter.begin()
    found = cluster_pairwise_predictions_at_threshold(
        connection.table("nodes"), connection.table("edges"), DuckDBAPI(connection), "node_id",
        edge_id_column_name_left="left_node_id", edge_id_column_name_right="right_node_id",
    )  # fmt: skip
    meter.end()
    answer = f"(select node_id, cluster_id as component_id from {found.physical_name})"
    return {**meter.cost.as_dict(), "digest": digest(connection, answer), "rounds": len(iterations)}


def contend_networkx(links: Path) -> dict:
    import networkx as nx

    connection, meter = opened(links), Meter()
    meter.begin()
    graph = nx.Graph()
    columns = connection.execute("from given.links").fetchnumpy()
    graph.add_edges_from(zip(columns["left_node_id"].tolist(), columns["right_node_id"].tolist(), strict=True))
    nodes, groups = [], []
    for members in nx.connected_components(graph):
        nodes.extend(members)
        groups.extend([min(members)] * len(members))
    store(connection, nodes, groups)
    meter.end()
    return {**meter.cost.as_dict(), "digest": digest(connection, "found")}


def contend_c(links: Path) -> dict:
    """A union-find in C, with reading the links from DuckDB and writing the groups to it."""
    import numpy as np

    library = compiled()
    connection, meter = opened(links), Meter()
    meter.begin()
    columns = connection.execute("from given.links").fetchnumpy()
    left, right = (np.ascontiguousarray(columns[side + "_node_id"]) for side in ("left", "right"))
    pointer = ctypes.POINTER(ctypes.c_int64)
    library.join_all.restype = ctypes.c_uint32
    count = library.join_all(left.ctypes.data_as(pointer), right.ctypes.data_as(pointer), ctypes.c_uint64(len(left)))
    nodes, groups = (np.empty(count, dtype=np.int64) for _ in range(2))
    library.write_groups(nodes.ctypes.data_as(pointer), groups.ctypes.data_as(pointer))
    store(connection, nodes, groups)
    meter.end()
    return {**meter.cost.as_dict(), "digest": digest(connection, "found")}


def compiled() -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "union_find.so"
        source = Path(__file__).with_name("union_find.c")
        subprocess.run(["cc", "-O3", "-march=native", "-shared", "-fPIC", "-o", library, source], check=True)
        return ctypes.CDLL(str(library))


def opened(links: Path) -> duckdb.DuckDBPyConnection:
    """In memory, with the file of links attached and read once."""
    connection = duckdb.connect(config={"preserve_insertion_order": "false"})
    connection.execute(f"attach '{links}' as given (read_only)")
    connection.execute(WARM).fetchall()
    return connection


def store(connection: duckdb.DuckDBPyConnection, nodes: object, groups: object) -> None:
    found = pa.table({"node_id": nodes, "component_id": groups})
    connection.register("arrived", found)
    connection.execute("create temp table found as from arrived")
    connection.unregister("arrived")


def digest(connection: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    """The same for equal partitions, whatever the order of rows: each group is named by its smallest node."""
    return [str(value) for value in connection.execute(DIGEST.format(relation)).fetchall()[0]]


CONTENDERS = {
    "macro": contend_macro,
    "splink": contend_splink,
    "networkx": contend_networkx,
    "c": contend_c,
    "text": contend_text,
    "hops": contend_hops,
}

if __name__ == "__main__":
    print(json.dumps(CONTENDERS[sys.argv[1]](Path(sys.argv[2]))))
