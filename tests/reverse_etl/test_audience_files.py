"""The files of an audience: whole at any moment, rewritten without loss, numbered by run."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written_files import changes, files, members, rows, send

from reverse_etl.destination import NoAnswer
from reverse_etl.file_store import LocalFolder
from reverse_etl.testing import sample


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "it's exports"


@pytest.fixture
def destination(folder):
    return files(folder)


def test_members_are_replaced_and_changes_are_kept(destination, folder):
    send(destination, sample(destination, first_name='Ann, "the first"\n'))
    send(destination, sample(destination, "remove", (1,)))

    assert [row["first_name"] for row in rows(folder / "members.csv")] == ['Ann, "the first"\n'] * 2
    assert [row["operation"] for row in changes(folder)] == ["add"] * 3 + ["remove"]


def test_a_removal_says_who_and_nothing_else(destination, folder):
    send(destination, sample(destination, "remove", (1,)))

    [gone] = changes(folder)
    assert (gone["profile_id"], gone["first_name"], gone["operation"]) == ("profile_id-1", "", "remove")


def test_every_run_has_its_own_changes_and_old_ones_are_forgotten(folder):
    destination = files(folder, keep_runs=2)
    for people in ((1,), (2,), (3,)):
        send(destination, sample(destination, people=people))

    assert sorted(path.name for path in folder.glob("changes/run=*/*")) == ["part-00001.csv"] * 2
    assert [row["operation_id"] for row in changes(folder)] == ["add-2-0", "add-3-0"]
    assert len(members(folder)) == 3


def test_the_manifest_says_what_the_files_are_of(destination, folder, monkeypatch):
    monkeypatch.setenv("CDP_NOW", "2026-01-02T03:04:05Z")
    send(destination, sample(destination))

    assert json.loads((folder / "manifest.json").read_text()) == {
        "members": "members.csv",
        "rows": 3,
        "run": 1,
        "parts": 1,
        "changed_at": "2026-01-02T03:04:05Z",
    }


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_change_that_comes_again_is_logged_once(folder, kind):
    destination = files(folder, format=kind)
    for people in ((1, 2), (1, 2), (2, 3)):
        send(destination, sample(destination, people=people))

    assert [row["operation_id"] for row in changes(folder, kind)] == ["add-1-0", "add-2-0", "add-3-0"]


@pytest.mark.parametrize("step", ["changes/run=000002/part-00001.csv", "members.csv", "manifest.json"])
def test_a_crash_at_any_step_leaves_whole_files_and_the_next_run_converges(destination, folder, monkeypatch, step):
    send(destination, sample(destination, people=(1, 2)))
    more = [*sample(destination, people=(3,)), *sample(destination, "change", people=(1,), first_name="Bea")]
    with monkeypatch.context() as broken, destination.connect() as transport:
        broken.setattr(LocalFolder, "put", fails_at(step))
        with pytest.raises(NoAnswer):
            transport(destination.request(more))
    assert {len(row) for row in rows(folder / "members.csv")} == {3}
    send(destination, more)

    assert sorted(row["first_name"] for row in rows(folder / "members.csv")) == ["", "", "Bea"]
    logged = [row["operation_id"] for row in changes(folder)]
    assert sorted(logged) == sorted(set(logged)) == ["add-1-0", "add-2-0", "add-3-0", "change-1-1"]
    assert not list(folder.glob(".writing-*"))


def fails_at(step, number=28):
    put = LocalFolder.put

    def put_or_fail(self, file, name):
        if name == step:
            raise OSError(number, "an error")
        put(self, file, name)

    return put_or_fail


def test_a_lack_of_rights_means_that_nothing_happened_only_while_nothing_did(destination, monkeypatch):
    changed = sample(destination)
    with destination.connect() as transport:
        monkeypatch.setattr(LocalFolder, "put", fails_at("changes/run=000001/part-00001.csv", number=13))
        assert transport(destination.request(changed)).status == 403
        monkeypatch.undo()
        monkeypatch.setattr(LocalFolder, "put", fails_at("manifest.json", number=13))
        with pytest.raises(NoAnswer):
            transport(destination.request(changed))


def test_a_batch_that_is_tried_again_in_the_same_run_is_logged_once(destination, folder, monkeypatch):
    changed = sample(destination)
    with destination.connect() as transport:
        with monkeypatch.context() as broken:
            broken.setattr(LocalFolder, "put", fails_at("manifest.json"))
            with pytest.raises(NoAnswer):
                transport(destination.request(changed))
        transport(destination.request(changed))

    assert len(changes(folder)) == 3


def test_half_written_files_of_a_kill_are_cleared_away(destination, folder):
    (folder / ".writing-abc").mkdir(parents=True)
    (folder / ".writing-abc" / "members.csv").write_text("half a li")

    send(destination, sample(destination))

    assert sorted(path.name for path in folder.iterdir()) == ["changes", "manifest.json", "members.csv"]


def test_a_column_mapped_later_is_empty_for_those_who_came_before(folder):
    send(files(folder), sample(files(folder), people=(1,), first_name="Ann"))
    wider = files(folder, ("profile_id", "city"))
    send(wider, sample(wider, people=(2,), city="Ulm"))

    assert [(row["city"], "first_name" in row) for row in rows(folder / "members.csv")] == [("", False), ("Ulm", False)]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=5))
def test_any_text_survives_however_often_the_file_is_rewritten(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("text")
    destination = files(folder)
    for place, text in enumerate(texts):
        send(destination, sample(destination, people=(place,), first_name=text))

    assert [row["first_name"] for row in rows(folder / "members.csv")] == texts


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_null_that_is_skipped_leaves_what_is_there(folder, kind):
    rules = {"amount": {"nulls": "skip", "type": "number"}}
    destination = files(folder, ("profile_id", "amount", "city"), rules, format=kind)
    send(destination, sample(destination, people=(1,), amount=1.5, city="Ulm"))
    send(destination, sample(destination, "change", people=(1,), city=None))

    [row] = rows(folder / f"members.{kind}")
    assert (float(row["amount"]), row["city"] or None) == (1.5, None)


def test_empty_and_unknown_are_two_things_in_parquet_and_after_rewriting(folder):
    destination = files(folder, format="parquet")
    send(destination, [*sample(destination, people=(1,), first_name=""), *sample(destination, people=(2,))])
    send(destination, sample(destination, people=(3,)))

    assert [row["first_name"] for row in rows(folder / "members.parquet")] == ["", None, None]


def test_for_spreadsheets_nothing_runs(folder):
    destination = files(folder, spreadsheets=True)
    send(destination, sample(destination, people=(1,), first_name="=HYPERLINK(1)"))
    send(destination, sample(destination, people=(2,), first_name="\ufeff @x"))
    send(destination, sample(destination, people=(3,), first_name="O'Hara-Smith"))

    names = [row["first_name"] for row in rows(folder / "members.csv")]
    assert names == ["'=HYPERLINK(1)", "'\ufeff @x", "O'Hara-Smith"]
