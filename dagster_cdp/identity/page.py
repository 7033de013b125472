"""One HTML file about one person: the picture, the chains and what was refused; it loads nothing."""

from html import escape

from dagster_cdp.identity.document import Document, explained
from dagster_cdp.identity.drawing import draw_svg
from dagster_cdp.identity.explain import Explanation
from dagster_cdp.identity.telling import bridge_lines, chain_lines, history_lines, refused_lines, when
from dagster_cdp.identity.words import name_of

STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 0; color: #1c1f24; background: #f4f5f7 }
main { max-width: 1760px; margin: 0 auto; padding: 24px }
h1 { font-size: 22px; margin: 0 } h2 { font-size: 16px; margin: 0 0 8px }
p { margin: 4px 0 16px; color: #565e6a }
section { background: #fff; border: 1px solid #dfe2e7; border-radius: 8px; padding: 16px; margin-bottom: 16px }
section { overflow-x: auto }
svg { display: block; margin: 0 auto; max-width: 100%; height: auto }
line:hover { stroke-opacity: .5 } circle:hover { fill-opacity: .7 }
table { border-collapse: collapse; width: 100% } th { text-align: left; font-weight: 600; color: #565e6a }
th, td { padding: 4px 12px 4px 0; border-bottom: 1px solid #eceef1; white-space: nowrap }
pre { font: 13px/1.55 ui-monospace, monospace; margin: 0; white-space: pre-wrap }
"""


def draw_page(explanation: Explanation, *, in_clear: bool = False) -> str:
    """The page; values are masked unless `in_clear`."""
    document = explained(explanation, in_clear=in_clear)
    sections = [
        ("Identifiers", _identifiers(document)),
        ("Why they are one person", _lines(chain_lines(document))),
        ("Hangs by one tie", _lines(bridge_lines(document))),
        (f"Refused ({document['refused_count']})", _lines(refused_lines(document["refused"]))),
        ("History", _lines(history_lines(document))),
    ]
    body = "".join(f"<section><h2>{escape(title)}</h2>{content}</section>" for title, content in sections if content)
    name = escape(document["profile_id"])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f'<meta name="viewport" content="width=device-width"><title>{name}</title><style>{STYLE}</style></head>'
        f"<body><main><h1>{name}</h1><p>{document['node_count']} identifiers, confidence {document['confidence']}</p>"
        f"<section>{draw_svg(explanation, in_clear=in_clear)}</section>{body}</main></body></html>\n"
    )


def _identifiers(document: Document) -> str:
    names = ("type", "value", "confidence", "since", "first seen", "last seen")
    head = "".join(f"<th>{name}</th>" for name in names)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in _cells(row)) + "</tr>"
        for row in document["identifiers"]
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cells(row: Document) -> list[str]:
    moments = [when(row[name]) for name in ("since", "first_seen_at", "last_seen_at")]
    return [name_of(row["type"]), row["value"], row["confidence"], *moments]


def _lines(lines: list[str]) -> str:
    return f"<pre>{escape(chr(10).join(lines))}</pre>" if lines else ""
