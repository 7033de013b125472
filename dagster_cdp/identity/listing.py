"""Bridges, review items, decisions and partings as plain data, and as text for a terminal."""

from collections import Counter
from datetime import date
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dagster_cdp.identity.bridging import Large
from dagster_cdp.identity.deciding import Decided
from dagster_cdp.identity.decisions import SEED, Decision
from dagster_cdp.identity.document import Document, Redaction
from dagster_cdp.identity.parting import Parting
from dagster_cdp.identity.person import Label
from dagster_cdp.identity.review import Item
from dagster_cdp.identity.telling import counted, label
from dagster_cdp.identity.words import name_of

APPLY = "cdp run --select 'group:identity+'"
MOST = 5  # bridges of one profile, identifiers of one part


def bridges(found: list[Large]) -> list[Document]:
    return [
        {
            "profile_id": large.profile_id,
            "node_count": large.node_count,
            "bridges": [
                {
                    "left": Redaction(large.labels).node(bridge.tie.left),
                    "right": Redaction(large.labels).node(bridge.tie.right),
                    "left_count": bridge.left_count,
                    "right_count": bridge.right_count,
                    "evidence_count": bridge.tie.evidence_count,
                }
                for bridge in large.bridges
            ],
        }
        for large in found
    ]


def print_bridges(found: list[Document], console: Console) -> None:
    if not found:
        console.print("None of the profiles that large hangs by a single tie.")
    for row in found:
        count = len(row["bridges"])
        _say(console, f"{row['profile_id']}: {row['node_count']} identifiers, {counted(count, 'bridge')}")
        for bridge in row["bridges"][:MOST]:
            sides = f"{bridge['left_count']} | {bridge['right_count']}, records: {bridge['evidence_count']}"
            _say(console, f"  {label(bridge['left'])} — {label(bridge['right'])}: {sides}")
        if count > MOST:
            _say(console, f"  … {count - MOST} more: --json")
    if found:
        _say(console, "\nNext: `cdp who PROFILE_ID --html person.html` draws one; `cdp identity split A B` parts it.")


def items(found: list[Item], *, in_clear: bool) -> list[Document]:
    redaction = Redaction({}, in_clear)
    return [
        {
            "item_id": item.item_id,
            "kind": item.kind,
            "left": redaction.label(item.left, item.left_label),
            "right": redaction.label(item.right, item.right_label),
            "because": item.because,
            "evidence_count": item.evidence_count,
            "score": item.score,
            "left_profile_id": item.left_profile_id,
            "right_profile_id": item.right_profile_id,
        }
        for item in found
    ]


def print_items(found: list[Document], waiting: dict[str, int], console: Console) -> None:
    if not found:
        _say(console, "Nothing to decide.")
        return
    for row in found:
        facts = [f"records: {row['evidence_count']}"] if row["evidence_count"] else []
        facts += [f"score {row['score']:.3f}"] if row["score"] is not None else []
        ends = f"{label(row['left'])} ? {label(row['right'])}"
        _say(console, f"{row['item_id']}  {row['kind']:<8} {ends}: {row['because']} ({', '.join(facts)})")
        _say(console, f"            cdp who node:{row['left']['node_id']} node:{row['right']['node_id']}")
    shown = Counter(row["kind"] for row in found)
    counts = ", ".join(f"{kind} {shown[kind]:,} of {count:,}" for kind, count in waiting.items())
    _say(console, f"\nShown: {counts}, bridge {shown['bridge']:,}; --limit shows more.")
    _say(console, "Next: look at the evidence with the line below an item, then settle it with")
    _say(console, "`cdp identity decide ITEM_ID must-link|cannot-link --owner WHO --reason WHY`.")


def print_decided(decided: Decided, console: Console, *, is_built: bool = False) -> None:
    if not decided.added:
        _say(console, "This was decided already; nothing is written.")
    for one in decided.added:
        until = f", until {one.expires_on}" if one.expires_on else ""
        _say(console, f"{one.decision} by {one.owner}{until}: written to dbt_project/seeds/{SEED.name}")
    _print_effects(decided, console, is_built=is_built)


def print_withdrawn(decided: Decided, console: Console, *, is_built: bool = False) -> None:
    for one in decided.added:
        _say(console, f"{one.decision} by {one.owner} on {one.decided_on}: ended in dbt_project/seeds/{SEED.name}")
    _print_effects(decided, console, is_built=is_built)


def _print_effects(decided: Decided, console: Console, *, is_built: bool) -> None:
    for effect in decided.effects:
        _say(console, f"  {effect}")
    _say(console, "Building …" if is_built else f"Next: {APPLY}  (then commit the seed)")


def decisions(found: list[tuple[Decision, Label, Label]], today: date) -> list[Document]:
    redaction = Redaction({})
    return [
        {
            "decision_id": one.decision_id,
            "decision": one.decision,
            "left": redaction.label(one.left, left),
            "right": redaction.label(one.right, right),
            "owner": one.owner,
            "reason": one.reason,
            "decided_on": one.decided_on,
            "expires_on": one.expires_on,
            "is_active": one.is_active(today),
        }
        for one, left, right in found
    ]


def print_decisions(found: list[Document], console: Console) -> None:
    if not found:
        _say(console, "No decisions yet: `cdp identity review` lists what is open.")
        return
    columns = ("id", "decision", "identifiers", "owner", "decided on", "in force", "reason")
    table = Table(*columns, box=None, pad_edge=False)
    for row in found:
        until = f"until {row['expires_on']}" if row["expires_on"] else "yes"
        state = until if row["is_active"] else f"expired {row['expires_on']}"
        ends = Text(f"{label(row['left'])}\n{label(row['right'])}", no_wrap=True)
        told = (ends, Text(row["owner"]), str(row["decided_on"]), state, Text(row["reason"]))
        table.add_row(Text(row["decision_id"], no_wrap=True), row["decision"], *told)
    console.print(table)
    _say(console, "\n`cdp identity withdraw ID` ends one.")


def print_parting(parting: Parting, console: Console) -> None:
    _say(console, f"\n{', '.join(parting.former)} is now:")
    redaction = Redaction({})
    for profile, labels in parting.identifiers.items():
        named = ", ".join(label(redaction.label(0, one)) for one in labels[:MOST])
        more = f" and {len(labels) - MOST} more" if len(labels) > MOST else ""
        _say(console, f"  {profile}: {counted(len(labels), 'identifier')}: {named}{more}")
    _say(console, f"  events: {parting.events_moved} moved to another profile, {parting.events_kept} stayed")
    for profile, names in parting.traits.items():
        if names:
            _say(console, f"  {profile}: {counted(len(names), 'trait')} changed: {', '.join(map(name_of, names))}")
    for sync, (was, now) in parting.plans.items():
        more = f" (before: {_plan(was)})" if was != now else ""
        _say(console, f"  next {sync}: {_plan(now)}{more}")
    _say(console, "Next: `cdp run` sends these changes; commit dbt_project/seeds/" + SEED.name)


def _plan(counts: tuple[int, int, int]) -> str:
    return "add {}, change {}, remove {}".format(*counts)


def _say(console: Console, line: Any) -> None:
    console.print(line, markup=False, soft_wrap=True, highlight=False)
