"""PostgreSQL and Spark put everybody where DuckDB's oracle does: the same graphs, the same macros."""

from __future__ import annotations

import os
import random

import pytest
from engine_world import PostgresWorld, SparkWorld, start_spark
from graph_oracle import resolve, union_find
from graph_world import Graph, GraphWorld
from test_resolution import NO_RULES, RULES, adversarial, components, random_people, told_so_far

WHOLE = os.environ.get("CDP_TEST_WHOLE") == "1"


@pytest.fixture(scope="module", params=[pytest.param("postgres", marks=pytest.mark.postgres),
                                        pytest.param("spark", marks=pytest.mark.spark)])  # fmt: skip
def world(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("graphs")
    if request.param == "postgres":
        if os.environ.get("CDP_TEST_POSTGRES") != "1":
            pytest.skip("needs CDP_TEST_POSTGRES=1 and the PG* variables of a server it may empty")
        yield PostgresWorld.build(folder)
        return
    if os.environ.get("CDP_TEST_SPARK") != "1":
        pytest.skip("needs CDP_TEST_SPARK=1, Java 17 and the extra `spark`")
    spark = start_spark(folder, os.environ.get("CDP_TEST_SPARK_MASTER", "local[2]"))
    yield SparkWorld.build(folder)
    spark.stop()


@pytest.mark.slow
def test_every_shape_of_graph_is_grouped_as_union_find_groups_it(world: GraphWorld) -> None:
    if isinstance(world, SparkWorld) and not WHOLE:
        pytest.skip("a minute long: needs CDP_TEST_WHOLE=1; graphs with limits are grouped on Spark in every run")
    shapes = adversarial(random.Random(7))
    answers = world.afresh([Graph(pairs) for pairs in shapes.values()], NO_RULES)
    for (name, pairs), answer in zip(shapes.items(), answers, strict=True):
        assert components(answer, pairs) == union_find(pairs), name


@pytest.mark.slow
def test_limits_are_kept_and_increments_give_what_a_full_resolution_gives(world: GraphWorld) -> None:
    """A statement on Spark costs what hundreds of small graphs do, a build has a hundred; increments are sampled."""
    dice, steps = random.Random(11), 1 if isinstance(world, SparkWorld) and not WHOLE else 2
    stories = [list(told_so_far(random_people(dice, 6 if steps == 1 else 25), dice, steps)) for _ in range(60)]
    world.empty()
    world.set_rules(RULES)
    for step, graphs in enumerate(zip(*stories, strict=True)):
        world.tell(graphs, batch=step + 1)
        answers = world.resolve(len(graphs), *(["--full-refresh"] if step == 0 else []))
        assert answers == [resolve(graph, RULES) for graph in graphs]
