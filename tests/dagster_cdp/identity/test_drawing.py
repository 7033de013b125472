"""The picture of a person: one file that loads nothing, the same each time, and legible."""

import math
import xml.etree.ElementTree as ET
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st
from people import ADA

from dagster_cdp.identity.asking import ask
from dagster_cdp.identity.drawing import COLOURS, draw_svg
from dagster_cdp.identity.explain import Explanation
from dagster_cdp.identity.finding import Found
from dagster_cdp.identity.graph import Tie, around
from dagster_cdp.identity.layout import place
from dagster_cdp.identity.page import draw_page
from dagster_cdp.identity.person import Member, Person
from dagster_cdp.identity.picture import MOST_NODES

SVG = "{http://www.w3.org/2000/svg}"


def crowd(count):
    """A login with many cookies, every third of which was seen with the one before it."""
    members = [Member(0, "user_id", "u-1", "exact", False, None, None, None)]
    members += [Member(n, "anonymous_id", f"c<{n}>&", "loose", False, None, None, None) for n in range(1, count)]
    ties = [Tie(0, n, 10, "loose") for n in range(1, count)] + [Tie(n - 1, n, 10, "loose") for n in range(3, count, 3)]
    person = Person("p_crowd", tuple(members), tuple(ties), (), 0)
    return Explanation(Found("p_crowd", 0), person, {}, 0, [], person.labels)


def parsed(svg):
    return ET.fromstring(svg)  # noqa: S314 - our own


def test_a_picture_is_one_well_formed_file_that_loads_nothing():
    root = parsed(draw_svg(crowd(30), in_clear=True))
    assert root.tag == f"{SVG}svg"
    assert {element.tag for element in root.iter()} <= {
        SVG + tag for tag in ("svg", "rect", "line", "circle", "text", "title")
    }


def test_it_shows_refused_links_dashed_and_bridges_thick(ada_and_ben):
    root = parsed(draw_svg(ask(ADA[1])))
    lines = [line for line in root.iter(f"{SVG}line") if line.find(f"{SVG}title") is not None]
    dashed = [line.find(f"{SVG}title").text for line in lines if "stroke-dasharray" in line.attrib]
    thick = [line.find(f"{SVG}title").text for line in lines if line.get("stroke-width") == "5"]
    assert len(dashed) == 2
    assert all("refused" in title for title in dashed)
    assert len(thick) == 2
    assert all("without it" in title for title in thick)


def test_every_type_has_a_colour_of_its_own():
    assert len(set(COLOURS.values())) == len(COLOURS)


def test_the_same_person_is_drawn_the_same():
    assert draw_svg(crowd(120)) == draw_svg(crowd(120))


def test_more_than_can_be_read_is_left_out_and_said():
    told = draw_svg(crowd(MOST_NODES + 25))
    assert "25 more are not drawn" in told


@given(st.integers(1, 40), st.randoms())
@settings(max_examples=30, deadline=None)
def test_no_two_identifiers_stand_on_each_other(count, dice):
    ties = {(dice.randrange(node), node) for node in range(1, count)}
    at = place(range(count), around(Tie(left, right, 5) for left, right in ties))
    assert len(at) == count
    assert all(math.dist(one, other) > 0.05 for one, other in combinations(at.values(), 2))


def test_ties_are_short():
    """On a ring of twenty, neighbours stand nearer than anyone else."""
    at = place(range(20), around(Tie(min(n, (n + 1) % 20), max(n, (n + 1) % 20), 5) for n in range(20)))
    near = max(math.dist(at[n], at[(n + 1) % 20]) for n in range(20))
    far = min(math.dist(at[n], at[(n + 5) % 20]) for n in range(20))
    assert near < far


def test_a_browser_shows_the_page_and_asks_nobody_for_anything(ada_and_ben, chromium, tmp_path):
    page_file = tmp_path / "ada.html"
    page_file.write_text(draw_page(ask(ADA[1])), encoding="utf-8")
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(page_file.as_uri())
    assert asked == [page_file.as_uri()]
    assert complaints == []
    assert page.locator("svg circle title").count() >= 7
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 1280
    boxes = [box.bounding_box() for box in page.locator("svg text").all()]
    frame = page.locator("svg").bounding_box()
    assert all(box["x"] >= frame["x"] and box["x"] + box["width"] <= frame["x"] + frame["width"] for box in boxes)
    assert not any(overlap(one, other) for one, other in combinations(boxes, 2))


def overlap(one, other):
    across = min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"])
    down = min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"])
    return across > 0 and down > 0
