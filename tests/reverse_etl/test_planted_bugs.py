"""The tests would notice: each bug, planted in a copy of the engine, is caught by the test named beside it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from planted_bugs import BUGS

ROOT = Path(__file__).parents[2]
WHOLE = os.environ.get("CDP_TEST_WHOLE") == "1"
SAMPLE = 4  # so many in the default run


def verdict(folder, bug, tests):
    """The exit code of the named tests against a copy of the engine with the bug."""
    copy = folder / "reverse_etl"
    shutil.copytree(ROOT / "reverse_etl", copy, ignore=shutil.ignore_patterns("__pycache__"))
    if bug:
        file = copy / bug.file
        text = file.read_text()
        assert text.count(bug.sound) == 1, f"{bug.file} has changed: plant {bug.name!r} anew"
        file.write_text(text.replace(bug.sound, bug.planted))
    command = [
        sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider",
        "-o", f"pythonpath={folder} {ROOT} {ROOT / 'tests/reverse_etl'}",
        *(str(ROOT / "tests/reverse_etl" / test) for test in tests),
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(folder), "CDP_TEST_WHOLE": "0"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("bug", BUGS if WHOLE else BUGS[:SAMPLE], ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught(tmp_path, bug):
    code, said = verdict(tmp_path, bug, [bug.caught_by])
    assert code == 1, said  # 1: tests ran and failed


def test_without_a_bug_the_same_tests_pass(tmp_path):
    code, said = verdict(tmp_path, None, sorted({bug.caught_by for bug in (BUGS if WHOLE else BUGS[:SAMPLE])}))
    assert code == 0, said


def test_each_bug_can_still_be_planted():
    for bug in BUGS:
        assert (ROOT / "reverse_etl" / bug.file).read_text().count(bug.sound) == 1, bug.name
