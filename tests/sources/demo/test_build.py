"""Building is deterministic, happens once, and never puts the truth where it would be loaded."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from sources.demo.build import Demo, DemoExistsError, Size, build

LAST_DAY = date(2026, 3, 10)
SMALL = 25


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def touched(folder: Path) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}


def small(folder: Path, last_day: date | None = LAST_DAY, *, seed: int = 7, rebuild: bool = False) -> Demo:
    return build(folder / "inbox", folder / "truth", households=SMALL, seed=seed, last_day=last_day, rebuild=rebuild)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A folder with a demo that no test changes."""
    folder = tmp_path_factory.mktemp("first")
    small(folder)
    return folder


def test_the_same_parameters_give_the_same_bytes(first, tmp_path):
    small(tmp_path)
    assert contents(tmp_path) == contents(first)


def test_another_seed_invents_other_people(first, tmp_path):
    small(tmp_path, seed=8)
    people = Path("truth", "people.csv")
    assert (tmp_path / people).read_bytes() != (first / people).read_bytes()


def test_building_again_touches_no_file_even_on_a_later_day(first):
    before = touched(first)
    same_day = small(first)
    later = small(first, date(2026, 3, 12))
    assert touched(first) == before
    assert (same_day.is_new, later.is_new) == (False, False)
    assert str(later).endswith("up to 2026-03-10 (kept as built)")
    assert (same_day.last_day, later.last_day) == ("2026-03-10", "2026-03-10")


def test_a_rebuild_on_a_later_day_leaves_no_file_of_the_first(first, tmp_path):
    shutil.copytree(first, tmp_path / "moved")
    assert small(tmp_path / "moved", date(2026, 4, 2), rebuild=True).is_new
    small(tmp_path / "fresh", date(2026, 4, 2))
    assert contents(tmp_path / "moved") == contents(tmp_path / "fresh")


def test_another_size_is_refused_with_the_way_out(first):
    with pytest.raises(DemoExistsError, match=r"households=25.*households=26.*rebuild"):
        build(first / "inbox", first / "truth", households=26)


def test_truth_within_the_inbox_is_refused(tmp_path):
    with pytest.raises(ValueError, match="would be loaded"):
        build(tmp_path / "inbox", tmp_path / "inbox" / "truth", households=SMALL)
    assert list(tmp_path.iterdir()) == []


def test_no_households_at_all_is_refused(tmp_path):
    with pytest.raises(ValueError, match="at least one"):
        build(tmp_path / "inbox", tmp_path / "truth", households=0)


def test_the_last_day_is_yesterday_by_the_project_clock(tmp_path, monkeypatch):
    monkeypatch.setenv("CDP_NOW", "2026-05-01T01:30:00+03:00")  # still 30 April in UTC
    assert small(tmp_path, None).last_day == "2026-04-29"


def test_scale_repeats_households_as_other_people(tmp_path):
    demo = build(tmp_path / "inbox", tmp_path / "truth", households=SMALL, scale=2, last_day=LAST_DAY)
    assert (demo.size, demo.people) == (Size(SMALL, 2, 7), 2 * SMALL)
    emails = [line.split(",")[5] for line in (tmp_path / "truth/people.csv").read_text().splitlines()[1:]]
    assert len(set(emails)) > 1.9 * SMALL
