"""A plot of a sync's members over its runs, as a picture that stands in an asset's metadata."""

import base64
from collections.abc import Sequence
from datetime import datetime
from html import escape

from reverse_etl.warehouse import Warehouse

WIDTH, HEIGHT, EDGE = 480, 120, 24
RUNS = 60

_MEMBERS = """
select started_at, held_count, state from activation.sync_runs
where sync_name = ? and held_count is not null order by epoch desc limit {runs}
"""


def members_over_time(warehouse: Warehouse, sync_name: str) -> list[tuple[datetime, int, str]]:
    """Read the members after each of the last runs, the oldest first."""
    rows = warehouse.execute(_MEMBERS.format(runs=RUNS), [sync_name])
    return [(at, int(count), str(state)) for at, count, state in reversed(rows)]


def plot(points: Sequence[tuple[datetime, int, str]]) -> str:
    """Draw an SVG: a line of members, a red dot at each run that a person had to look at."""
    most = max((count for _, count, _ in points), default=0) or 1
    step = (WIDTH - 2 * EDGE) / max(1, len(points) - 1)
    places = [
        (EDGE + place * step, HEIGHT - EDGE - count / most * (HEIGHT - 2 * EDGE))
        for place, (_, count, _) in enumerate(points)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{"#1a7f37" if state == "succeeded" else "#cf222e"}">'
        f"<title>{at:%Y-%m-%d %H:%M}: {count:,} members, {escape(state)}</title></circle>"
        for (x, y), (at, count, state) in zip(places, points, strict=True)
    )
    first, last = (f"{points[0][0]:%Y-%m-%d}", f"{points[-1][0]:%Y-%m-%d}") if points else ("", "")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="10"><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="{EDGE}" y="14">{most:,} members at most</text>'
        f'<text x="{EDGE}" y="{HEIGHT - 6}">{first}</text>'
        f'<text x="{WIDTH - EDGE}" y="{HEIGHT - 6}" text-anchor="end">{last}</text>'
        f'<polyline points="{line}" fill="none" stroke="#0969da" stroke-width="1.5"/>{dots}</svg>'
    )


def as_markdown(svg: str) -> str:
    """Put the picture itself into the text, so that nothing has to be fetched."""
    return f"![members over time](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"
