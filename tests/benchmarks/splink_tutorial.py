"""The model of Splink's tutorial for its 50,000 historical figures, as a yardstick: Splink alone, nothing of ours.

The choices are those of the tutorial: blocking, comparisons with term frequencies, rules, sample, sessions, and the
threshold at which it clusters.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any

import duckdb

THRESHOLD = 0.95
BLOCKS = (
    ("substr(first_name, 1, 3)", "substr(surname, 1, 4)"), ("surname", "dob"), ("first_name", "dob"),
    ("postcode_fake", "first_name"), ("postcode_fake", "surname"), ("dob", "birth_place"),
    ("substr(postcode_fake, 1, 3)", "dob"), ("substr(postcode_fake, 1, 3)", "first_name"),
    ("substr(postcode_fake, 1, 3)", "surname"),
    ("substr(first_name, 1, 2)", "substr(surname, 1, 2)", "substr(dob, 1, 4)"),
)  # fmt: skip
SURE = (
    "l.first_name = r.first_name and l.surname = r.surname and l.dob = r.dob",
    (
        "substr(l.first_name, 1, 2) = substr(r.first_name, 1, 2) and l.surname = r.surname"
        " and substr(l.postcode_fake, 1, 2) = substr(r.postcode_fake, 1, 2)"
    ),
    "l.dob = r.dob and l.postcode_fake = r.postcode_fake",
)
SESSIONS = ("l.first_name = r.first_name and l.surname = r.surname", "l.dob = r.dob")


def predict(connection: duckdb.DuckDBPyConnection) -> str:
    """Train on the table `records` and predict; the name of the table of predictions."""
    import splink

    logging.getLogger("splink").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        connection.execute("alter table records add column if not exists whole_name text")
        connection.execute("update records set whole_name = first_name || ' ' || surname")
        table = splink.DuckDBAPI(connection=connection).register("records")
        linker = splink.Linker(table, settings(splink), log_level="ERROR")
        learn = linker.training
        learn.estimate_probability_two_random_records_match(list(SURE), recall=0.6)
        learn.estimate_u_using_random_sampling(max_pairs=5e6, seed=1)
        for session in SESSIONS:
            learn.estimate_parameters_using_expectation_maximisation(session)
        return linker.inference.predict(threshold_match_probability=THRESHOLD).physical_name


def settings(splink: Any) -> Any:
    import splink.comparison_library as library

    frequent = [
        library.ExactMatch(column).configure(term_frequency_adjustments=True)
        for column in ("birth_place", "occupation")
    ]
    return splink.SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=[splink.block_on(*columns) for columns in BLOCKS],
        comparisons=[
            library.ForenameSurnameComparison("first_name", "surname", forename_surname_concat_col_name="whole_name"),
            library.DateOfBirthComparison("dob", input_is_string=True),
            library.PostcodeComparison("postcode_fake"),
            *frequent,
        ],
    )
