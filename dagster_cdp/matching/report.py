"""What a trained model does, as one page that needs no network: thresholds, weights, histogram, examples.

Values of people are masked: the first letter and the length are kept, because a reader has to see what was compared.
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Any

import duckdb

from dagster_cdp.matching.model import MatchModel
from dagster_cdp.matching.parameters import PRIOR, Parameter
from dagster_cdp.matching.scoring import score

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76em; margin: 2em auto; padding: 0 1em; color: #222; }
h1, h2, h3 { font-weight: 600; } table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .15em .6em .15em 0; border-bottom: 1px solid #eee; vertical-align: top; }
.waterfall td { white-space: nowrap; }
.waterfall td:nth-child(-n+3) { max-width: 15em; overflow: hidden; text-overflow: ellipsis; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.axis { position: relative; height: 1.1em; min-width: 14em; background: #f6f6f6; }
.bar { position: absolute; top: .1em; bottom: .1em; } .for { background: #4a7fb5; } .against { background: #c46a4a; }
.auto { color: #1d6b35; } .review { color: #9a6b00; } .dropped { color: #777; }
"""


@dataclass(frozen=True)
class Thresholds:
    """Probabilities from which a pair is a link by itself, and from which a person decides."""

    auto: Decimal
    review: Decimal

    def band(self, probability: Decimal) -> str:
        return "auto" if probability >= self.auto else "review" if probability >= self.review else "dropped"


def masked(value: object) -> str:
    """`martha` → `m•••••`, `1976-12-06` → `1•••-••-••`."""
    return "unknown" if value is None else str(value)[:1] + re.sub(r"\w", "•", str(value)[1:])


def report(
    connection: duckdb.DuckDBPyConnection,
    model: MatchModel,
    parameters: Sequence[Parameter],
    thresholds: Thresholds,
    made_at: datetime,
) -> str:
    """The page about how `parameters` score the table `records` of the connection."""
    score(connection, model, parameters)
    records, pairs = _count(connection, "records"), _count(connection, "scored")
    parts = [
        f"<h1>Matching: the {model.name} model</h1>",
        f"<p>{made_at:%Y-%m-%d %H:%M} UTC. {records} records, {pairs} pairs compared.</p>",
        _bands(connection, thresholds),
        _histogram(connection, thresholds),
        _weights(parameters),
        "<h2>Examples</h2><p>Values are masked. Each bar adds to the weights above it.</p>",
        *(_waterfall(pair, model, parameters, thresholds) for pair in _examples(connection, thresholds)),
    ]
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Matching</title>"
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _count(connection: duckdb.DuckDBPyConnection, table: str, where: str = "true") -> str:
    return f"{connection.execute(f'select count(*) from {table} where {where}').fetchall()[0][0]:,}"


def _bands(connection: duckdb.DuckDBPyConnection, thresholds: Thresholds) -> str:
    auto, review = thresholds.auto, thresholds.review
    rows = [
        ("auto", f"at least {auto}", "becomes a link, if more than the name agrees", f"score >= {auto}"),
        ("review", f"{review} to {auto}", "waits for a person", f"score >= {review} and score < {auto}"),
        ("dropped", f"below {review}", "is forgotten", f"score < {review}"),
    ]
    cells = "".join(
        f"<tr><td class='{band}'>{band}</td><td>{probability}</td><td>{fate}</td>"
        f"<td class='number'>{_count(connection, 'scored', where)}</td></tr>"
        for band, probability, fate, where in rows
    )
    return (
        f"<h2>Thresholds</h2><table><tr><th>band<th>probability<th>a pair<th class='number'>pairs</tr>{cells}</table>"
    )


def _histogram(connection: duckdb.DuckDBPyConnection, thresholds: Thresholds) -> str:
    bins = connection.execute(
        "select floor(match_weight / 2) * 2 as low, count(*), max(score) from scored group by low order by low"
    ).fetchall()
    most = max((count for _, count, _ in bins), default=1)
    rows = "".join(
        f"<tr><td class='number {thresholds.band(best)}'>{low:.0f} to {low + 2:.0f}</td>"
        f"<td><div class='axis'><div class='bar for' style='left:0;width:{100 * count / most:.1f}%'></div></div></td>"
        f"<td class='number'>{count:,}</td></tr>"
        for low, count, best in bins
    )
    return f"<h2>Match weights of all pairs</h2><table><tr><th>weight<th><th class='number'>pairs</tr>{rows}</table>"


def _bar(start: float, end: float, lowest: float, highest: float) -> str:
    """A bar from one sum of weights to the next; blue speaks for one person, red against."""
    span = (highest - lowest) or 1.0
    left, width = (min(start, end) - lowest) / span, abs(end - start) / span
    kind = "for" if end >= start else "against"
    style = f"left:{100 * left:.2f}%;width:{max(100 * width, 0.3):.2f}%"
    return f"<div class='axis'><div class='bar {kind}' style='{style}'></div></div>"


def _weights(parameters: Sequence[Parameter]) -> str:
    lowest = min(0.0, *(one.weight for one in parameters))
    highest = max(0.0, *(one.weight for one in parameters))
    rows = "".join(
        f"<tr><td>{html.escape(one.comparison)}</td><td>{html.escape(one.label)}</td>"
        f"<td class='number'>{one.m:.4f}</td><td class='number'>{one.u:.6f}</td>"
        f"<td>{_bar(0, one.weight, lowest, highest)}</td><td class='number'>{one.weight:+.2f}</td></tr>"
        for one in parameters
    )
    return (
        "<h2>What each likeness is worth</h2><p>m: how often pairs of one person are so; u: how often pairs of two are."
        "</p><table><tr><th>comparison<th>likeness<th class='number'>m<th class='number'>u<th><th class='number'>weight"
        f"</tr>{rows}</table>"
    )


def _examples(connection: duckdb.DuckDBPyConnection, thresholds: Thresholds) -> list[dict[str, Any]]:
    """Two pairs of each band: those nearest to the auto threshold say most about it."""
    found = []
    for band in (f"score >= {thresholds.auto}", f"score between {thresholds.review} and {thresholds.auto} - 0.000001",
                 f"score < {thresholds.review}"):  # fmt: skip
        asked = connection.execute(
            f"select * from scored where {band} order by abs(score - {thresholds.auto}), left_record_key limit 2"
        )
        names = [name for (name, *_) in asked.description or ()]
        found += [dict(zip(names, row, strict=True)) for row in asked.fetchall()]
    return found


@dataclass(frozen=True)
class Step:
    """What one comparison of a pair says; the values are masked."""

    comparison: str
    one: str
    other: str
    label: str
    weight: float


def _steps(pair: dict[str, Any], model: MatchModel, parameters: Sequence[Parameter]) -> Iterator[Step]:
    worth = {(one.comparison, one.level): one for one in parameters}
    yield Step("", "", "", worth[PRIOR, 0].label, worth[PRIOR, 0].weight)
    for comparison in model.comparisons:
        told = worth.get((comparison.name, pair[f"{comparison.name}_level"]))
        one, other = (masked(pair.get(f"{comparison.name}_{side}")) for side in ("l", "r"))
        yield Step(comparison.name, one, other, told.label if told else "says nothing", told.weight if told else 0.0)


def _waterfall(pair: dict[str, Any], model: MatchModel, parameters: Sequence[Parameter], thresholds: Thresholds) -> str:
    steps = list(_steps(pair, model, parameters))
    sums = list(accumulate((step.weight for step in steps), initial=0.0))
    rows = "".join(
        f"<tr><td>{html.escape(step.comparison)}</td><td>{html.escape(step.one)}</td><td>{html.escape(step.other)}</td>"
        f"<td>{html.escape(step.label)}</td><td>{_bar(start, end, min(sums), max(sums))}</td>"
        f"<td class='number'>{step.weight:+.2f}</td></tr>"
        for step, (start, end) in zip(steps, pairwise(sums), strict=True)
    )
    band = thresholds.band(pair["score"])
    return (
        f"<h3 class='{band}'>{band}: weight {pair['match_weight']:.2f}, probability {pair['score']}</h3>"
        f"<table class='waterfall'><tr><th>comparison<th>one<th>other<th>likeness<th><th class='number'>weight</tr>"
        f"{rows}</table>"
    )
