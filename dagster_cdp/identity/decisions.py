"""What people decided about who is who: rows of the seed `identity_decisions.csv`, by node id, never by value."""

import csv
import fcntl
import hashlib
import io
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal, cast

from dagster_cdp.home import ROOT

SEED = ROOT / "dbt_project" / "seeds" / "identity_decisions.csv"
COLUMNS = ("decision", "left_node_id", "right_node_id", "reason", "owner", "decided_on", "expires_on")
Kind = Literal["must_link", "cannot_link"]
PERSONAL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+|\+?\d[\d ()/-]{6,}\d")
LONGEST_REASON = 500  # characters: one line of a file that people read


class DecisionRefused(ValueError):
    """The decision can't stand; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Two identifiers that must, or must not, be one person; from `expires_on` on as if nobody had said it."""

    decision: Kind
    left: int
    right: int
    reason: str
    owner: str
    decided_on: date
    expires_on: date | None = None

    @property
    def pair(self) -> tuple[int, int]:
        return self.left, self.right

    @property
    def decision_id(self) -> str:
        """Short enough to type; the same as long as the row is about this pair."""
        named = f"{self.decision}:{self.left}:{self.right}"
        return hashlib.md5(named.encode(), usedforsecurity=False).hexdigest()[:10]

    def is_active(self, on: date) -> bool:
        return self.expires_on is None or self.expires_on > on


def read_decisions(file: Path | None = None) -> list[Decision]:
    """All of them, also those that have expired. Raises DecisionRefused naming the line that can't be read."""
    seed = file or SEED
    with seed.open(newline="", encoding="utf-8") as opened:
        rows = csv.DictReader(opened)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise DecisionRefused(f"{seed.name}: the first line must be {','.join(COLUMNS)}")
        return [_decision(row, f"{seed.name} line {rows.line_num}") for row in rows]


def _decision(row: dict[str, str], place: str) -> Decision:
    try:
        kind, left, right = row["decision"], int(row["left_node_id"]), int(row["right_node_id"])
        expires = date.fromisoformat(row["expires_on"]) if row["expires_on"] else None
        decided = date.fromisoformat(row["decided_on"])
    except (TypeError, ValueError):
        raise DecisionRefused(f"{place}: node ids are whole numbers and days are like 2026-12-31") from None
    if kind not in {"must_link", "cannot_link"} or left >= right:
        raise DecisionRefused(f"{place}: must_link or cannot_link, and the smaller node id on the left")
    return Decision(cast(Kind, kind), left, right, row["reason"], row["owner"], decided, expires)


def add_decisions(new: Iterable[Decision], today: date, file: Path | None = None) -> list[Decision]:
    """Write them beside those there are, in one go; gives those that were not already in force.

    An expired decision on the same pair makes way. Raises DecisionRefused, and then writes nothing.
    """
    seed = file or SEED
    added = []
    with _locked(seed):
        kept = {decision.pair: decision for decision in read_decisions(seed)}
        for decision in new:
            known = kept.get(decision.pair)
            if known and known.is_active(today) and known.decision == decision.decision:
                continue
            _check(decision, [one for one in kept.values() if one.is_active(today)], today)
            kept[decision.pair] = decision
            added.append(decision)
        if added:
            _write(seed, sorted(kept.values(), key=lambda one: one.pair))
    return added


def withdraw_decisions(decision_ids: Iterable[str], today: date, file: Path | None = None) -> list[Decision]:
    """End them today: the rows stay, as what was decided and until when. Gives them as they are now.

    Raises DecisionRefused naming an id that none in force has, and then writes nothing.
    """
    seed, wanted = file or SEED, set(decision_ids)
    with _locked(seed):
        known = read_decisions(seed)
        ended = {
            one: replace(one, expires_on=today) for one in known if one.decision_id in wanted and one.is_active(today)
        }
        if missing := wanted - {one.decision_id for one in ended}:
            raise DecisionRefused(
                f"no decision in force has the id {min(missing)}: `cdp identity decisions` lists them with their ids"
            )
        _write(seed, [ended.get(one, one) for one in known])
    return list(ended.values())


def _check(decision: Decision, active: list[Decision], today: date) -> None:
    if not decision.owner.strip():
        raise DecisionRefused("a decision needs an owner: --owner WHO")
    if not decision.reason.strip() or len(decision.reason) > LONGEST_REASON or "\n" in decision.reason:
        raise DecisionRefused(
            f"a decision needs a reason of one line, at most {LONGEST_REASON} characters: --reason WHY"
        )
    if PERSONAL.search(decision.reason):
        raise DecisionRefused("the reason holds an address or a number: it is committed, so say it without")
    if not decision.is_active(today):
        raise DecisionRefused(f"--expires {decision.expires_on} has come: give a later day, or none")
    if decision.left == decision.right:
        raise DecisionRefused("both are the same identifier")
    _check_agreement(decision, active)


def _check_agreement(decision: Decision, active: list[Decision]) -> None:
    """Whoever must be linked, also over others, can't be parted by another decision."""
    must = [one.pair for one in [*active, decision] if one.decision == "must_link"]
    cannot = [one for one in [*active, decision] if one.decision == "cannot_link"]
    together = _joined(must)
    for one in cannot:
        if together.get(one.left, one.left) == together.get(one.right, one.right):
            raise DecisionRefused(
                f"this contradicts the cannot_link of {one.owner} on {one.decided_on}:"
                f" end it with `cdp identity withdraw {one.decision_id}` first"
                if decision.decision == "must_link"
                else "this contradicts must_link decisions, perhaps over further identifiers:"
                " `cdp identity decisions` lists them, `cdp identity withdraw` ends one"
            )


def _joined(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Each node's group; few decisions, so the plainest way."""
    group: dict[int, int] = {}
    for left, right in pairs:
        keep, drop = group.get(left, left), group.get(right, right)
        group |= {left: keep, right: keep} | {node: keep for node, was in group.items() if was == drop}
    return group


def _write(seed: Path, decisions: Iterable[Decision]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in decisions:
        ends = [one.decision, one.left, one.right, one.reason, one.owner, one.decided_on.isoformat()]
        writer.writerow([*ends, one.expires_on.isoformat() if one.expires_on else ""])
    beside = seed.with_name(f".{seed.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8") as opened:
            opened.write(text.getvalue())
            opened.flush()
            os.fsync(opened.fileno())
        beside.replace(seed)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


@contextmanager
def _locked(seed: Path) -> Iterator[None]:
    """One writer at a time; the lock is on the folder, because the file is replaced."""
    folder = os.open(seed.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
