"""Two files: who is there now, and how it came so."""

import csv
import stat

import pytest

from reverse_etl.destination import DestinationRefused
from reverse_etl.destinations.csv_file import Destination
from reverse_etl.sync import Sync
from reverse_etl.testing import check, sample


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "exports"


@pytest.fixture
def destination(folder):
    sync = Sync(
        audience="vip",
        destination="csv_file",
        purpose="marketing",
        channel="post",
        fields={"profile_id": "profile_id", "first_name": "first_name"},
        options={"folder": str(folder)},
    )
    return Destination(sync)


def rows(file):
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def members(folder):
    file = folder / "members.csv"
    return {row["_member_id"] for row in rows(file)} if file.exists() else set()


def send(destination, changes):
    with destination.connect() as transport:
        return destination.outcomes(changes, transport(destination.request(changes)))


def test_it_conforms(destination, folder):
    check(destination, holds=lambda change: change.member_id in members(folder), over_http=False)


def test_members_are_replaced_and_changes_are_kept(destination, folder):
    send(destination, sample(destination, first_name='Ann, "the first"\n'))
    send(destination, sample(destination, "remove", (1,)))

    assert [row["first_name"] for row in rows(folder / "members.csv")] == ['Ann, "the first"\n'] * 2
    assert [row["operation"] for row in rows(folder / "changes.csv")] == ["add"] * 3 + ["remove"]


def test_only_the_owner_can_read_them(destination, folder):
    send(destination, sample(destination))

    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_change_that_comes_again_is_logged_once(destination, folder):
    for _ in range(2):
        send(destination, sample(destination))

    assert len(rows(folder / "changes.csv")) == 3


def test_half_a_line_left_by_a_crash_is_cut_off(destination, folder):
    send(destination, sample(destination, people=(1, 2)))
    file = folder / "changes.csv"
    file.write_bytes(file.read_bytes()[:-20])

    send(destination, sample(destination, people=(1, 2)))

    assert [row["operation_id"] for row in rows(file)] == ["add-1-0", "add-2-0"]


def test_a_folder_that_cannot_be_made_is_for_a_person(destination, folder):
    folder.write_text("in the way")

    with pytest.raises(DestinationRefused, match="can't be used"), destination.connect():
        pass
