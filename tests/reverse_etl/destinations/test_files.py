"""Who is there now, and how it came so: in a folder, and in a store of objects."""

import itertools
import stat

import fsspec
import pyarrow.parquet as pq
import pytest
from activation_town import VIP
from written_files import changes, files, members, rows, send

from reverse_etl.deliver import Delivery
from reverse_etl.destination import DestinationRefused, Outcome, load_destination
from reverse_etl.drift import drift
from reverse_etl.run import run_sync
from reverse_etl.sync import BadDeclaration
from reverse_etl.testing import check, sample

COUNTER = itertools.count()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "it's exports"


@pytest.fixture
def destination(folder):
    return files(folder)


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


def test_only_the_owner_can_read_them(destination, folder):
    send(destination, sample(destination))

    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


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


def test_text_that_no_file_can_hold_is_rejected_alone(folder):
    destination = files(folder)
    names = ["Ann", "a\0b", "\ud800"]
    changes = [sample(destination, people=(place,), first_name=name)[0] for place, name in enumerate(names)]
    with destination.connect() as transport:
        receipts = Delivery(destination, transport, float("inf")).deliver(changes)

    assert [r.outcome for r in receipts] == [Outcome.DELIVERED, Outcome.REJECTED, Outcome.REJECTED]
    assert [row["first_name"] for row in rows(folder / "members.csv")] == ["Ann"]


@pytest.mark.parametrize("options", [{}, {"format": "parquet"}, {"spreadsheets": True}])
def test_who_is_in_the_file_is_compared_with_the_journal(folder, town, warehouse, options):
    sync = VIP.model_copy(
        update={
            "destination": "files",
            "key": "email",
            "fields": {"email": "phone", "amount": "amount"},
            "options": {"folder": str(folder), **options},
        }
    )
    town.audience({name: {"email": f'+1202555010{n} "é"'} for n, name in enumerate(("ann", "bob", "cem"))})
    run_sync(warehouse, sync, gate="ignored")
    assert not drift(warehouse, sync, load_destination(sync)).differs

    warehouse.execute("delete from activation.journal where record_key like '%0101%'")

    found = drift(warehouse, sync, load_destination(sync))
    assert (found.ours, found.theirs, found.missing, found.unexpected) == (2, 3, 0, 1)
