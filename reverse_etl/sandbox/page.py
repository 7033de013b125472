"""The state page: who holds how many, and what was asked last. Keys are masked; forms and scripts there are none."""

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from reverse_etl.sandbox.state import State

Held = tuple[str, str, int, list[str]]  # vendor, kind, how many, the first keys
AUDIENCE = "members/"
SHOWN_KEYS, SHOWN_REQUESTS = 3, 30
LONGEST_SHOWN, LONGEST_PLAIN = 31, 11  # 32 is an MD5
HASH = re.compile("[0-9a-f]{32}")
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #222;
       background: #fff }
table { border-collapse: collapse; width: 100%; margin-bottom: 2rem }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd; vertical-align: top }
.number { text-align: right; font-variant-numeric: tabular-nums }
h2 { font-size: 1.1rem } code { font-size: .85em; overflow-wrap: anywhere } .bad { color: #a00 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } th, td { border-color: #444 }
       .bad { color: #f77 } }
"""


def masked(key: str) -> str:
    """Enough of a key to tell two apart, too little to be anybody; the name before a first `=` is shown."""
    name, equals, value = key.partition("=")
    if not value:
        name, equals, value = "", "", key
    if len(value) <= LONGEST_PLAIN or "@" in value:
        return f"{name}{equals}{value[:1]}…"
    start = 6 if HASH.match(value) else 2  # sorted hashes begin alike
    return f"{name}{equals}{value[:start]}…{value[-2:]}"


def page(state: State, environment: Mapping[str, Mapping[str, str]]) -> str:
    """Everything at a glance, as HTML."""
    bundled = [("sandbox", f"{AUDIENCE}{n}", len(m), list(m)[:SHOWN_KEYS]) for n, m in state.audiences().items()]
    held = bundled + state.file.counts(SHOWN_KEYS)
    parts = ["<h1>Sandbox</h1><p>What was delivered here. In full: <a href='/__state'>/__state</a>, "]
    parts.append("<a href='/__log'>/__log</a></p><h2>Members</h2>")
    parts.append(_table(("vendor", "audience", "members", "some of them"), _audiences(held)) or "<p>None yet.</p>")
    others = _table(("vendor", "kind", "documents"), _others(held))
    parts.append(f"<h2>Everything else</h2>{others}" if others else "")
    faults = [(f["action"], f["times"], escape(str(f["match"]))) for f in state.faults()]
    planted = _table(("fault", "times", "for"), faults)
    parts.append(f"<h2>Faults to come</h2>{planted}" if planted else "")
    requests = _table(("time", "vendor", "request", "bytes", "status", "fault"), _requests(state))
    parts.append(f"<h2>Last requests</h2>{requests}" if requests else "")
    variables = ((name, _lines(values)) for name, values in environment.items())
    shown = _table(("vendor", "variables"), variables)
    parts.append(f"<h2>To send here what is meant for a vendor</h2>{shown}" if shown else "")
    head = f"<meta charset=utf-8><meta name=viewport content='width=device-width'><title>Sandbox</title><style>{STYLE}"
    return f"<!doctype html><html lang=en><head>{head}</style></head><body>{''.join(parts)}</body></html>"


def _audiences(held: Iterable[Held]) -> Iterable[tuple[Any, ...]]:
    for vendor, kind, count, keys in held:
        if kind.startswith(AUDIENCE):
            some = ", ".join(f"<code>{escape(masked(key))}</code>" for key in keys)
            yield vendor, escape(kind.removeprefix(AUDIENCE)), count, some


def _others(held: Iterable[Held]) -> Iterable[tuple[Any, ...]]:
    for vendor, kind, count, _ in held:
        if not kind.startswith(AUDIENCE):
            yield vendor, escape(kind), count


def _requests(state: State) -> Iterable[tuple[Any, ...]]:
    for r in reversed(state.log()[-SHOWN_REQUESTS:]):
        parts = [
            part if "@" not in part and len(part) <= LONGEST_SHOWN else masked(part)
            for part in str(r["path"]).split("/")
        ]
        status = r["status"] or "no answer"
        is_good = r["status"] and r["status"] < 400  # noqa: PLR2004 — HTTP's own number
        shown = str(status) if is_good else f"<span class=bad>{status}</span>"
        path = escape("/".join(parts))
        yield r["received_at"][11:19], r["vendor"], f"{r['method']} <code>{path}</code>", r["bytes"], shown, r["fault"]


def _lines(variables: Mapping[str, str]) -> str:
    return "<br>".join(f"<code>{escape(name)}={escape(value)}</code>" for name, value in variables.items())


def _table(names: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> str:
    """Cells are HTML; numbers stand on the right."""
    filled = list(rows)
    if not filled:
        return ""
    sides = [" class=number" if isinstance(cell, int) else "" for cell in filled[0]]
    head = "".join(f"<th{side}>{name}</th>" for name, side in zip(names, sides, strict=True))
    body = (
        "".join(f"<td{side}>{'' if c is None else c}</td>" for c, side in zip(row, sides, strict=True))
        for row in filled
    )
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in body)}</table>"
