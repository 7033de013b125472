"""How right matching by likeness is, on two public sets with a known truth and on the demo's own people.

    python -m tests.benchmarks.identity_accuracy [--home .cdp] [--json]

- FEBRL 3 (5,000 records of invented people), with and without the social security number.
- Splink's 50,000 records of historical figures, against Splink's own tutorial model, run here on the same data
  and judged at the tutorial's threshold.
- The people of a built demo home: record links alone, and with probable links.

The first two need the folder CDP_REFERENCE_DATA and the extra `matching`; the third needs a home with truth/.
Weights are trained as `cdp identity train` does, pairs are scored with the SQL of the warehouse, and groups are
made by the project's connected components. F1 is over pairs of records in one group.
"""

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path

import duckdb

from dagster_cdp.matching.model import MatchModel
from dagster_cdp.matching.scoring import score
from dagster_cdp.matching.training import train
from tests.agreement import Agreement
from tests.benchmarks.clustering import agreement, group
from tests.benchmarks.demo_people import links_right, measure
from tests.benchmarks.reference_models import febrl, historical
from tests.benchmarks.splink_tutorial import THRESHOLD, predict

AUTO = 0.99  # as the seed match_thresholds
FEBRL = ("rec_id", "given_name", "surname", "street_number", "address_1", "address_2", "suburb", "postcode", "state",
         "date_of_birth", "soc_sec_id")  # fmt: skip


def reference_data() -> Path | None:
    folder = os.environ.get("CDP_REFERENCE_DATA")
    return Path(folder) if folder else None


def measure_febrl(data: Path, *, with_number: bool) -> Agreement:
    """The project's scoring at the project's threshold."""
    with duckdb.connect() as connection:
        columns = ", ".join(f"nullif(trim({column}), '') as {column}" for column in FEBRL)
        connection.execute(
            f"create table records as select {columns} from"
            f" read_csv('{data}/er_febrl/dataset3.csv.gz', all_varchar=true, header=true, normalize_names=true)"
        )
        match(connection, febrl(with_number=with_number), AUTO)
        return agreement(connection, "select node_id, split_part(rec_id, '-', 2) as person_id from keyed")


def measure_historical(data: Path) -> Agreement:
    with duckdb.connect() as connection:
        load_figures(connection, data)
        match(connection, historical(), THRESHOLD)
        return agreement(connection, "select node_id, cluster as person_id from keyed")


def measure_tutorial(data: Path) -> Agreement:
    """Splink's tutorial model on the same data, grouped and judged in the same way."""
    with duckdb.connect() as connection:
        load_figures(connection, data)
        predicted = predict(connection)
        connection.execute(
            "create table keyed as select *, row_number() over (order by unique_id) as node_id from records"
        )
        group(
            connection,
            "select least(one.node_id, other.node_id) as left_node_id, greatest(one.node_id, other.node_id) as"
            f" right_node_id from {predicted} inner join keyed as one on unique_id_l = one.unique_id"
            " inner join keyed as other on unique_id_r = other.unique_id",
        )
        return agreement(connection, "select node_id, cluster as person_id from keyed")


def load_figures(connection: duckdb.DuckDBPyConnection, data: Path) -> None:
    connection.execute(
        "create table records as select *, count(*) over (partition by surname) as last_name_count"
        f" from '{data}/er_splink/historical_figures_with_errors_50k.parquet'"
    )


def match(connection: duckdb.DuckDBPyConnection, model: MatchModel, threshold: float) -> None:
    """Train on the table `records`, score its pairs and group what reaches the threshold."""
    score(connection, model, train(model, connection, lambda _: None))
    group(
        connection,
        "select least(node_id_l, node_id_r) as left_node_id, greatest(node_id_l, node_id_r) as right_node_id"
        f" from scored where score >= {threshold}",
    )


def results(home: Path | None) -> Iterator[tuple[str, float, float, float]]:
    """(what, precision, recall, F1), as each is known."""
    if data := reference_data():
        for label, found in (
            ("FEBRL 3", measure_febrl(data, with_number=False)),
            ("FEBRL 3 with social security number", measure_febrl(data, with_number=True)),
            ("historical figures", measure_historical(data)),
            ("historical figures, Splink's tutorial", measure_tutorial(data)),
        ):
            yield label, found.precision, found.recall, found.f1
    if home:
        for label, agreed in measure(home).items():
            f1 = 2 * agreed.both / (agreed.together + agreed.true)
            yield f"demo, {label}", agreed.precision, agreed.recall, f1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=os.environ.get("CDP_HOME"), help="of a built demo, with truth/")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = list(results(Path(arguments.home) if arguments.home else None))
    if arguments.json:
        print(json.dumps({what: dict(zip(("precision", "recall", "f1"), rest, strict=True)) for what, *rest in found}))
        return
    if reference_data() is None:
        print("CDP_REFERENCE_DATA is not set: without FEBRL and the historical figures")
    for what, precision, recall, f1 in found:
        print(f"{what:41} precision {precision:.4f}  recall {recall:.4f}  F1 {f1:.4f}")
    if arguments.home:
        for rule, (known, right) in links_right(Path(arguments.home)).items():
            print(f"demo, links by {rule}: {right:,} of {known:,} are right")


if __name__ == "__main__":
    main()
