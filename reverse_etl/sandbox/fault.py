"""Failures on demand: which request shall suffer which, and for how often."""

import json
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TABLES = """
create table if not exists faults (
    fault_id integer primary key, action text not null, times integer not null, seconds real not null
);
create table if not exists fault_matches (fault_id integer primary key, match text not null);
"""
# slow: answers late; timeout: says nothing for some seconds, then hangs up; hang: says nothing until the caller
# goes; drop_after_commit: applied, then hung up. Numbers are HTTP statuses, said in the vendor's own words.
ACTIONS = {"html", "reset", "timeout", "hang", "slow", "drop_after_commit"}
STATUS = re.compile(r"[45]\d\d")


class BadFault(ValueError):
    """A fault nobody can act out; the message says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure to act out; `seconds` is the Retry-After of a 429 or 503, or how long it takes."""

    action: str
    seconds: float = 0

    @property
    def is_applied(self) -> bool:
        """Whether the request takes effect all the same."""
        return self.action in {"slow", "drop_after_commit"}


def plant(connection: sqlite3.Connection, wish: Mapping[str, Any]) -> None:
    """Keep a wish `{"match": {"vendor", "path", "nth"}, "action", "times", "seconds"}`.

    It fails `times` requests from the `nth` on that match, both one unless said. `vendor` is a name (`sandbox`: the
    bundled destination), `path` a regular expression found in the path; what is not said matches all.
    """
    action, match = str(wish.get("action")), dict(wish.get("match") or {})
    if action not in ACTIONS and not STATUS.fullmatch(action):
        raise BadFault(f"unknown_action: there are {', '.join(sorted(ACTIONS))}, and 400 to 599")
    if stray := set(match) - {"vendor", "path", "nth"}:
        raise BadFault(f"unknown_match: {', '.join(sorted(stray))}")
    re.compile(str(match.get("path", "")))  # re.error is a ValueError of the caller's
    planted = connection.execute(
        "insert into faults (action, times, seconds) values (?, ?, ?)",
        [action, int(wish.get("times", 1)), float(wish.get("seconds", 0))],
    )
    match = {**match, "nth": int(match.get("nth", 1))}
    connection.execute("insert or replace into fault_matches values (?, ?)", [planted.lastrowid, json.dumps(match)])


def next_fault(connection: sqlite3.Connection, vendor: str, path: str) -> Fault | None:
    """Take the fault this request shall suffer, if any: the oldest whose turn it is."""
    if not connection.execute("select 1 from faults").fetchone():
        return None
    connection.execute("begin immediate")
    taken = None
    for fault_id, action, seconds, said in connection.execute(
        "select fault_id, action, seconds, coalesce(match, '{}') from faults "
        "left join fault_matches using (fault_id) order by fault_id"
    ).fetchall():
        match = json.loads(said)
        if match.get("vendor", vendor) != vendor or not re.search(match.get("path", ""), path):
            continue
        if match.get("nth", 1) > 1:
            match["nth"] -= 1
            connection.execute("update fault_matches set match = ? where fault_id = ?", [json.dumps(match), fault_id])
        elif taken is None:
            taken = Fault(action, seconds)
            connection.execute("update faults set times = times - 1 where fault_id = ?", [fault_id])
    connection.execute("delete from faults where times <= 0")
    return taken


def planted(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Faults still to come."""
    return [
        {"action": action, "times": times, "seconds": seconds, "match": json.loads(match)}
        for action, times, seconds, match in connection.execute(
            "select action, times, seconds, coalesce(match, '{}') from faults "
            "left join fault_matches using (fault_id) order by fault_id"
        )
    ]
