"""Training: Splink learns from unlabelled records what each degree of likeness is worth. The only import of splink."""

import copy
import dataclasses
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from dagster_cdp.matching.model import Comparison, MatchModel
from dagster_cdp.matching.parameters import PRIOR, Parameter

SEED = 7
MOST_PAIRS = 1_000_000
ROUNDS = (25, 6, 3, 1)
LEAST_M = 0.005
LEAST_U = 0.00001
Progress = Callable[[str], None]


class SplinkMissing(RuntimeError):
    """The optional extra is not installed."""


class NothingToLearn(RuntimeError):
    """The warehouse has too few records that could be of the same person."""


def train(model: MatchModel, connection: duckdb.DuckDBPyConnection, progress: Progress) -> list[Parameter]:
    """The weights that the table `records` of the connection teaches; on Spark, those of the model's own table."""
    return parameters_of(fit(model, connection, progress), model)


def fit(model: MatchModel, connection: duckdb.DuckDBPyConnection, progress: Progress) -> Any:
    """A trained Splink linker, for `parameters_of` and for comparing its predictions with ours."""
    with _quiet():
        return _fit(_splink(), model, connection, progress)


def _fit(splink: Any, model: MatchModel, connection: duckdb.DuckDBPyConnection, progress: Progress) -> Any:
    linker = splink.Linker(_registered(splink, model, connection), _settings(splink, model), log_level="ERROR")
    learn = linker.training
    progress("how rare a pair of one person is")
    learn.estimate_probability_two_random_records_match(list(model.sure), recall=model.sure_recall)
    progress(f"what strangers have in common: {MOST_PAIRS:,} random pairs")
    learn.estimate_u_using_random_sampling(max_pairs=MOST_PAIRS, seed=SEED)
    for session in model.sessions:
        progress(f"what records of one person have in common: pairs with the same {', '.join(session)}")
        _learn_from(linker, splink.block_on(*session))
    _smooth(linker)
    return linker


def _learn_from(linker: Any, rule: Any) -> None:
    """One session, stopped earlier where it would go too far.

    Splink 5 raises ValueError once an m is below 1e-300, which it becomes when pairs are so clearly of one person
    that a level has nothing left. A session without any pair teaches nothing, which is no failure either.
    """
    from splink.internals.exceptions import EMTrainingException  # noqa: PLC0415 - an extra

    settings = linker._settings_obj  # noqa: SLF001 - no public way
    before = copy.deepcopy(settings.core_model_settings)
    for most_rounds in ROUNDS:
        settings.training_settings = dataclasses.replace(settings.training_settings, max_iterations=most_rounds)
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(rule, record_sample_proportion=1.0)
        except EMTrainingException:
            return
        except ValueError:
            settings.core_model_settings = copy.deepcopy(before)  # a session that fails leaves only what it taught
            if most_rounds == ROUNDS[-1]:
                raise
        else:
            return


def _smooth(linker: Any) -> None:
    """No likeness is impossible because this data lacks it: people move, and a weight of -90 would forbid it.

    A level that training never met among people's own pairs says nothing. Set in Splink, so that its predictions
    and ours are computed from the same numbers.
    """
    for comparison in linker._settings_obj.comparisons:  # noqa: SLF001 - no public way to set them
        for level in comparison.comparison_levels:
            if level.is_null_level:
                continue
            u = max(level.u_probability, LEAST_U) if level._u_is_trained else LEAST_U  # noqa: SLF001 - as above
            level.u_probability = u
            level.m_probability = max(level.m_probability, LEAST_M) if level._m_is_trained else u  # noqa: SLF001


def parameters_of(linker: Any, model: MatchModel) -> list[Parameter]:
    """What Splink computes with; its JSON omits the levels that were never met."""
    prior = linker._settings_obj._probability_two_random_records_match  # noqa: SLF001
    found = [Parameter(PRIOR, 0, "two records taken at random", prior, 1 - prior)]
    for comparison, trained in zip(model.comparisons, linker._settings_obj.comparisons, strict=True):  # noqa: SLF001
        levels = [level for level in trained.comparison_levels if not level.is_null_level]
        found += [
            Parameter(
                comparison.name, level.comparison_vector_value,
                comparison.labels[level.comparison_vector_value], level.m_probability, level.u_probability,
            )
            for level in levels
        ]  # fmt: skip
    return found


def _registered(splink: Any, model: MatchModel, connection: duckdb.DuckDBPyConnection) -> Any:
    """DuckDB in memory; on Spark the session that is there, because the records are."""
    if os.environ.get("CDP_TARGET") == "spark":
        from pyspark.sql import SparkSession  # noqa: PLC0415 - only on Spark

        session = SparkSession.builder.getOrCreate()
        return splink.SparkAPI(spark_session=session).register(session.table(model.table).where(model.only))
    return splink.DuckDBAPI(connection=connection).register("records")


def require_splink() -> None:
    """Fail early, in one line, where the extra is missing."""
    _splink()


def _splink() -> Any:
    try:
        import splink  # noqa: PLC0415 - an extra, and 2 s to import
    except ImportError as error:
        raise SplinkMissing("Training needs Splink, which is not installed: pip install -e '.[matching]'") from error
    return splink


def _settings(splink: Any, model: MatchModel) -> Any:
    return splink.SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name=model.key,
        comparisons=[_comparison(one) for one in model.comparisons],
        blocking_rules_to_generate_predictions=[splink.block_on(*session) for session in model.sessions],
        retain_intermediate_calculation_columns=True,
        retain_matching_columns=False,
    )


def _comparison(comparison: Comparison) -> dict[str, Any]:
    null = {"sql_condition": comparison.unknown, "label_for_charts": "unknown", "is_null_level": True}
    levels = [{"sql_condition": one.condition, "label_for_charts": one.label} for one in comparison.levels]
    other = {"sql_condition": "ELSE", "label_for_charts": "anything else"}
    return {"output_column_name": comparison.name, "comparison_levels": [null, *levels, other]}


@contextmanager
def _quiet() -> Iterator[None]:
    """Splink's log quotes its settings; progress is ours to tell."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
