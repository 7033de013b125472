"""Who is there now, and how it came so: in a folder, and in a store of objects."""

import csv
import itertools
import json
import stat

import fsspec
import pyarrow.parquet as pq
import pytest
from activation_town import VIP
from hypothesis import given, settings
from hypothesis import strategies as st

from reverse_etl.destination import DestinationRefused, NoAnswer, Outcome
from reverse_etl.destinations.files import Destination
from reverse_etl.run import run_sync
from reverse_etl.sync import BadDeclaration, Sync
from reverse_etl.testing import check, sample

COUNTER = itertools.count()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "it's exports"


@pytest.fixture
def destination(folder):
    return files(folder)


def files(folder, fields=("profile_id", "first_name"), rules=None, **options):
    return Destination(
        Sync(
            audience="vip",
            destination="files",
            purpose="marketing",
            channel="post",
            fields={name: {"to": name, **(rules or {}).get(name, {})} for name in fields},
            options={"folder": str(folder), **options},
        )
    )


def rows(file):
    if not file.exists():
        return []
    if file.suffix == ".parquet":
        return pq.read_table(file).to_pylist()
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def members(folder, kind="csv"):
    return {row["_member_id"] for row in rows(folder / f"members.{kind}")}


def changes(folder, kind="csv"):
    return [row for file in sorted(folder.glob(f"changes/run=*/part-*.{kind}")) for row in rows(file)]


def send(destination, changes):
    with destination.connect() as transport:
        return destination.outcomes(changes, transport(destination.request(changes)))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_it_conforms(folder, kind):
    there = lambda change: change.member_id in members(folder, kind)  # noqa: E731
    poison = {"amount": "much"}
    destination = files(folder, ("profile_id", "amount"), {"amount": {"type": "number"}}, format=kind)

    check(destination, holds=there, poison=poison, over_http=False)


def test_it_conforms_in_a_store_of_objects():
    store = fsspec.filesystem("memory")
    destination = files(f"memory://bucket-{next(COUNTER)}/vip")
    path = f"{destination.request([]).path.removeprefix('memory:/')}/members.csv"

    check(destination, holds=lambda change: change.member_id in store.cat(path).decode(), over_http=False)


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


def test_only_the_owner_can_read_them(destination, folder):
    send(destination, sample(destination))

    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_change_that_comes_again_is_logged_once(folder, kind):
    destination = files(folder, format=kind)
    for people in ((1, 2), (1, 2), (2, 3)):
        send(destination, sample(destination, people=people))

    assert [row["operation_id"] for row in changes(folder, kind)] == ["add-1-0", "add-2-0", "add-3-0"]


def test_a_batch_that_fails_halfway_leaves_whole_files_and_is_logged_once(destination, folder, monkeypatch):
    send(destination, sample(destination, people=(1,)))
    whole = (folder / "members.csv").read_text()
    more = sample(destination, people=(2,))
    with destination.connect() as transport:
        with monkeypatch.context() as broken:
            broken.setattr("reverse_etl.file_store.LocalFolder.put", fails_on("members.csv"))
            with pytest.raises(NoAnswer):
                transport(destination.request(more))
        assert (folder / "members.csv").read_text() == whole
        transport(destination.request(more))

    assert [row["operation_id"] for row in changes(folder)] == ["add-1-0", "add-2-0"]
    assert len(members(folder)) == 2
    assert not list(folder.glob(".writing-*"))


def fails_on(name):
    from reverse_etl.file_store import LocalFolder

    put = LocalFolder.put

    def put_or_fail(self, file, target):
        if target == name:
            raise OSError(28, "No space left on device")
        put(self, file, target)

    return put_or_fail


def test_half_written_files_of_a_kill_are_cleared_away(destination, folder):
    (folder / ".writing-abc").mkdir(parents=True)
    (folder / ".writing-abc" / "members.csv").write_text("half a li")

    send(destination, sample(destination))

    assert sorted(path.name for path in folder.iterdir()) == ["changes", "manifest.json", "members.csv"]


def test_parquet_has_types_and_what_does_not_fit_is_rejected_alone(folder):
    fields = ("profile_id", "amount", "visits", "is_new", "since", "seen_at")
    kinds = [{"type": kind} for kind in ("number", "integer", "boolean", "date", "timestamp")]
    destination = files(folder, fields, dict(zip(fields[1:], kinds, strict=True)), format="parquet")
    good = {"amount": 1.5, "visits": 3.0, "is_new": True, "since": "2026-01-02", "seen_at": "2026-01-02T03:04:05Z"}
    receipts = send(destination, [*sample(destination, **good), *sample(destination, people=(4,), visits="many")])

    assert [r.outcome for r in receipts] == [Outcome.DELIVERED] * 3 + [Outcome.REJECTED]
    assert receipts[3].code == "no_integer_visits"
    table = pq.read_table(folder / "members.parquet")
    assert [str(table.schema.field(name).type) for name in fields] == [
        "string", "double", "int64", "bool", "date32[day]", "timestamp[us]",
    ]  # fmt: skip
    assert table.num_rows == 3


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


def test_members_are_the_consented_audience_after_each_run(town, warehouse, folder):
    sync = VIP.model_copy(update={"destination": "files", "options": {"folder": str(folder)}})

    def after(people, refusing=()):
        town.audience(people)
        for name in refusing:
            town.consent(name, is_granted=False)
        run_sync(warehouse, sync, gate="ignored", approve=True)
        return {row["external_id"] for row in rows(folder / "members.csv")}

    assert after(["ann", "bob", "cy"]) == {"ann", "bob", "cy"}
    assert after(["ann", "dee"]) == {"ann", "dee"}
    assert after(["ann", "dee"], refusing=["dee"]) == {"ann"}
    removed = [row["external_id"] for row in changes(folder) if row["operation"] == "remove"]
    assert sorted(removed) == ["bob", "cy", "dee"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"format": "xlsx"}, "csv or parquet"),
        ({"keep_runs": 0}, "1 or more"),
    ],
)
def test_wrong_options_are_one_line(folder, options, reason):
    with pytest.raises(BadDeclaration, match=reason):
        files(folder, **options)


def test_the_files_own_columns_are_taken(folder):
    with pytest.raises(BadDeclaration, match="operation is the destination's own"):
        files(folder, ("profile_id", "operation"))


def test_a_folder_that_cannot_be_made_is_for_a_person(destination, folder):
    folder.write_text("in the way")

    with pytest.raises(DestinationRefused, match="can't be used"), destination.connect():
        pass


def test_a_file_system_that_is_not_installed_is_for_a_person():
    with pytest.raises(DestinationRefused, match="isn't installed"), files("dropbox://x").connect():
        pass
