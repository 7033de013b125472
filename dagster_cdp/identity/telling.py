"""An explanation in the words of a terminal or of Markdown."""

from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dagster_cdp.identity.document import Document
from dagster_cdp.identity.words import CAUSES, name_of, rule_in_words

MOST_ROWS = 40  # more is read with --json


def tell(document: Document, console: Console) -> None:
    """Print who it is, what ties them, what was refused, and how it came about."""
    console.print(*_head(document), sep="\n", highlight=False)
    if document["is_pair"]:
        _print_section("How they are tied", chain_lines(document), console)
        return
    console.print(_identifiers(document))
    for title, lines in (
        ("Why they are one person", chain_lines(document)),
        ("Hangs by one tie", bridge_lines(document)),
        (f"Refused ({document['refused_count']})", refused_lines(document["refused"])),
        ("History", history_lines(document)),
    ):
        if lines:
            _print_section(title, lines, console)


def tell_apart(document: Document, console: Console) -> None:
    """Print why two identifiers are not one person."""
    ends = [document[f"{side}_profile_id"] or "nobody" for side in ("left", "right")]
    console.print(f"Not one person: {ends[0]} and {ends[1]}", highlight=False)
    _print_section(document["because"], refused_lines(document["refused"]), console)


def _print_section(title: str, lines: list[str], console: Console) -> None:
    console.print(f"\n{title}", style="bold", highlight=False)
    for line in lines:
        console.print(line, markup=False, soft_wrap=True, highlight=False)


def _head(document: Document) -> list[Text]:
    lines = [Text(f"Person {document['profile_id']}", style="bold")]
    if former := document["former_profile_id"]:
        lines.append(Text(f"  {former} was merged or parted; its first identifier is now in this profile"))
    lines.append(Text(f"  {document['node_count']} identifiers, confidence {document['confidence']}"))
    if at := document["at"]:
        where = at["profile_id"] or "in no profile yet (its records may be older than the build that first knew it)"
        until = f", from {when(at['valid_from'])} to {when(at['valid_to'])}" if at["valid_from"] else ""
        lines.append(Text(f"  at {when(at['moment'])}: {where}{until}"))
    return lines


def _identifiers(document: Document) -> Table:
    """One row per node: the hash of an address that is shown says nothing more."""
    table = Table(*("type", "value", "confidence", "since", "first seen", "last seen"), box=None, pad_edge=False)
    told = {row["node_id"]: row for row in reversed(document["identifiers"])}
    shown = [told[node] for node in dict.fromkeys(row["node_id"] for row in document["identifiers"])]
    for row in shown[:MOST_ROWS]:
        moments = (day(row[name]) for name in ("since", "first_seen_at", "last_seen_at"))
        value = Text(row["value"] + (" (shared)" if row["is_shared"] else ""), no_wrap=True)
        table.add_row(Text(name_of(row["type"]), no_wrap=True), value, row["confidence"], *moments)
    if len(told) > MOST_ROWS:
        table.add_row(f"… {len(told) - MOST_ROWS} more: --json")
    return table


def chain_lines(document: Document) -> list[str]:
    lines: list[str] = []
    for chain in document["chains"][:MOST_ROWS]:
        lines.append(f"  {label(chain['from'])} → {label(chain['to'])}  ({chain['confidence']})")
        lines.extend(f"      {_step(step)}" for step in chain["steps"])
    return _cut(lines, len(document["chains"]))


def _step(step: Document) -> str:
    record = f", record {step['record_id']}" if step["record_id"] else ""
    score = f", probability {step['score']:.3f}" if step["score"] is not None else ""
    count = step["evidence_count"]
    more = f" (best of {count} records)" if count > 1 else ""
    moment = f", {when(step['observed_at'])}" if step["observed_at"] else ""
    said = f"{rule_in_words(step['rule'])}: {step['source']}{record}{moment}, {step['confidence']}{score}{more}"
    return f"{label(step['from'])} — {label(step['to'])}: {said}"


def bridge_lines(document: Document) -> list[str]:
    """Those that would part more than a single identifier; every leaf hangs by one tie."""
    parting = [row for row in document["bridges"] if min(row["left_count"], row["right_count"]) > 1]
    lines = [
        f"  {label(row['left'])} — {label(row['right'])}: {row['left_count']} | {row['right_count']} identifiers,"
        f" {counted(row['evidence_count'], 'record')}"
        for row in parting[:MOST_ROWS]
    ]
    return _cut(lines, len(parting))


def refused_lines(refused: list[Document]) -> list[str]:
    lines = [
        f"  {label(row['left'])} ✗ {label(row['right'])}: {row['because']}"
        f" ({counted(row['evidence_count'], 'record')}, first {when(row['first_observed_at'])})"
        for row in refused[:MOST_ROWS]
    ]
    return _cut(lines, len(refused))


def history_lines(document: Document) -> list[str]:
    lines = []
    for row in document["history"][:MOST_ROWS]:
        origin = f" from {row['from_profile_id']}" if row["from_profile_id"] else ""
        because = ""
        if row["left"] and row["right"]:
            moment = f", seen {when(row['effective_at'])}" if row["effective_at"] else ""
            rule = rule_in_words(row["rule"] or "")
            because = f": {label(row['left'])} — {label(row['right'])} {rule}{moment}"
        what = f"{counted(row['identifier_count'], 'identifier')} {CAUSES.get(row['cause'], row['cause'])}"
        lines.append(f"  {when(row['at'])}  {what}{origin} → {row['to_profile_id']}{because}")
    return _cut(lines, len(document["history"]))


def _cut(lines: list[str], total: int) -> list[str]:
    return [*lines, f"  … {total - MOST_ROWS} more: --json"] if total > MOST_ROWS else lines


def counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def label(node: Document) -> str:
    return f"{name_of(node['type'])} {node['value']}"


def when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "–"


def day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "–"


def markdown(document: Document) -> str:
    """The same for the page of an asset check."""
    head = f"#### {document['profile_id']}: {document['node_count']} identifiers, {document['confidence']}"
    # The steps of a chain are indented below it.
    chains = [("  - " if line.startswith("      ") else "- ") + line.strip() for line in chain_lines(document)]
    refusals = [f"- {line.strip()}" for line in refused_lines(document["refused"][:5])]
    return "\n".join([head, "", *chains, *refusals])
