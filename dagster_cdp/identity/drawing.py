"""A person as a picture: one self-contained SVG that loads nothing and runs nothing."""

from collections.abc import Iterator
from html import escape

from dagster_cdp.identity.document import Document, Redaction
from dagster_cdp.identity.explain import Explanation
from dagster_cdp.identity.labels import labels, radii
from dagster_cdp.identity.picture import Picture, picture_of
from dagster_cdp.identity.words import name_of, rule_in_words

# Okabe and Ito's colours and further ones that differ in lightness as well.
COLOURS = {
    "user_id": "#0072b2",
    "loyalty_number": "#d55e00",
    "crm_contact_id": "#cc79a7",
    "support_user_id": "#882255",
    "email": "#009e73",
    "email_sha256": "#66c2a5",
    "phone": "#e69f00",
    "card_fingerprint": "#5c4b99",
    "order_id": "#8c8c8c",
    "device_id": "#56b4e9",
    "anonymous_id": "#b8b8b8",
}
STROKES = {"exact": "#2b2f36", "strict": "#7a828e", "loose": "#bcc3cc"}
REFUSED = 'stroke="#c62828" stroke-width="1.6" stroke-dasharray="6 4"'


SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    ' font-family="system-ui, sans-serif" role="img" aria-label="Identifiers of one person">'
)
LEGEND = 210  # pixels
INK = "#1c1f24"


def draw_svg(explanation: Explanation, *, in_clear: bool = False) -> str:
    """The picture; labels are masked unless `in_clear`."""
    picture = picture_of(explanation, Redaction(explanation.labels, in_clear))
    kinds = {node["type"] for node in picture.nodes.values()}
    width, height = f"{picture.width + LEGEND:.0f}", f"{max(picture.height, 24 * len(kinds) + 200):.0f}"
    parts = [
        SVG.format(width=width, height=height),
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *_refused_lines(picture),
        *_tie_lines(picture),
        *_nodes(picture),
        *_legend(picture),
        "</svg>",
    ]
    return "\n".join(parts)


def _refused_lines(picture: Picture) -> Iterator[str]:
    for left, right, because in picture.refused:
        yield _line(picture, (left, right), REFUSED, f"refused: {because}")


def _tie_lines(picture: Picture) -> Iterator[str]:
    # The weak below the strong.
    for tie in sorted(picture.ties, key=lambda tie: -tie.tier):
        parting = picture.bridges.get((tie.left, tie.right))
        style = f'stroke="{STROKES[tie.confidence]}" stroke-width="{5 if parting else 1.6}"'
        told = [
            rule_in_words(tie.rule),
            tie.confidence,
            f"records: {tie.evidence_count}",
            *([parting] if parting else []),
        ]
        yield _line(picture, (tie.left, tie.right), style, ", ".join(told))


def _line(picture: Picture, ends: tuple[int, int], style: str, title: str) -> str:
    (x1, y1), (x2, y2) = (picture.at[end] for end in ends)
    names = " — ".join(_name(picture.nodes[end]) for end in ends)
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style} stroke-linecap="round">'
        f"<title>{escape(f'{names}: {title}')}</title></line>"
    )


def _nodes(picture: Picture) -> Iterator[str]:
    sizes = radii(picture)
    yield from (_circle(picture, node, sizes[node]) for node in picture.nodes)
    for label in labels(picture):
        yield (
            f'<text x="{label.x:.1f}" y="{label.y:.1f}" text-anchor="{label.anchor}" font-size="12" fill="{INK}"'
            f' stroke="#ffffff" stroke-width="4" stroke-linejoin="round" paint-order="stroke">'
            f"{escape(label.text)}</text>"
        )


def _circle(picture: Picture, node: int, radius: float) -> str:
    (x, y), said = picture.at[node], picture.nodes[node]
    fill, ring, thick = colour(said["type"]), "#ffffff", 2
    title = _name(said)
    if node in picture.outside:
        fill, ring, title = "#ffffff", fill, f"{title}, not of this person"
    if node == picture.asked:
        ring, thick = "#000000", 3
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}" stroke="{ring}" stroke-width="{thick}">'
        f"<title>{escape(title)}</title></circle>"
    )


def _legend(picture: Picture) -> Iterator[str]:
    left, y = picture.width, 30.0
    counts = dict.fromkeys((node["type"] for node in picture.nodes.values()), 0)
    for node in picture.nodes.keys() - picture.outside:
        counts[picture.nodes[node]["type"]] += 1
    rings = [('fill="#ffffff" stroke="#000000" stroke-width="3"', "asked for")]
    if picture.outside:
        rings.append(('fill="#ffffff" stroke="#7a828e" stroke-width="2"', "not of this person"))
    dots = [(f'fill="{colour(kind)}"', _counted(kind, counts[kind])) for kind in _by_count(counts)]
    for style, words in [*dots, *rings]:
        yield f'<circle cx="{left + 12}" cy="{y}" r="7" {style}/>{_text(left + 30, y, words)}'
        y += 24
    lines = [(f'stroke="{stroke}" stroke-width="2"', name) for name, stroke in STROKES.items()]
    for style, words in [
        *lines,
        ('stroke="#7a828e" stroke-width="5"', "bridge: parts the profile"),
        (REFUSED, "refused"),
    ]:
        yield f'<line x1="{left + 2}" y1="{y}" x2="{left + 22}" y2="{y}" {style}/>{_text(left + 30, y, words)}'
        y += 24
    if picture.left_out:
        yield _text(left + 2, y, f"{picture.left_out} more are not drawn")


def _counted(kind: str, count: int) -> str:
    return f"{name_of(kind)} ({count})" if count else name_of(kind)


def _by_count(counts: dict[str, int]) -> list[str]:
    return sorted(counts, key=lambda kind: (-counts[kind], kind))


def _text(x: float, y: float, words: str) -> str:
    return f'<text x="{x}" y="{y + 4}" font-size="13" fill="{INK}">{escape(words)}</text>'


def _name(said: Document) -> str:
    return f"{name_of(said['type'])} {said['value']}"


def colour(identifier_type: str) -> str:
    return COLOURS.get(identifier_type, "#44aa99")
