"""A declaration that can't be honoured doesn't load, and says in one line why."""

import pytest

from reverse_etl.destination import load_destination
from reverse_etl.sync import BadDeclaration, Sync, all_syncs, find_sync, load_sync

GOOD = {
    "audience": "vip",
    "destination": "sandbox",
    "purpose": "marketing",
    "channel": "email",
    "fields": "{email: email}",
}


def declared(folder, name="vip_to_sandbox.yml", **changes):
    file = folder / name
    lines = {**GOOD, **changes}
    file.write_text("\n".join(f"{key}: {value}" for key, value in lines.items() if value is not None))
    return file


def test_a_good_declaration_loads(tmp_path):
    sync = load_sync(declared(tmp_path))

    assert sync.name == "vip_to_sandbox"
    assert (sync.key, sync.mode) == ("profile_id", "mirror")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"purpose": None}, "no purpose"),
        ({"channel": None}, "no channel"),
        ({"purpose": None, "channel": None}, "no purpose and no channel"),
        ({"purpose": "fun"}, "vip_to_sandbox.yml: purpose: Input should be 'marketing', 'advertising'"),
        ({"channel": "pigeon"}, "channel"),
        ({"audience": '"vip; drop table x"'}, "audience"),
        ({"fields": "{}"}, "fields"),
        ({"fields": "{'a b': c}"}, "fields"),
        ({"fields": "{first_name: FirstName}"}, "fields.first_name: names are lower-case letters, digits and _"),
        ({"fields": "{email: email, phone: email}"}, "two columns"),
        ({"colour": "red"}, "colour: there is no such word; there are after, audience, channel"),
        ({"mode": "append"}, "mode"),
        ({"max_removed_share": 2}, "max_removed_share"),
        ({"owner": "nobody in particular"}, "owner"),
        ({"fields": "[unclosed"}, "not YAML"),
    ],
)
def test_a_bad_declaration_says_what_is_wrong_in_one_line(tmp_path, changes, reason):
    with pytest.raises(BadDeclaration) as refused:
        load_sync(declared(tmp_path, **changes))

    assert reason in str(refused.value)
    assert str(refused.value).startswith("vip_to_sandbox.yml: ")
    assert "\n" not in str(refused.value)


def test_an_empty_file_is_refused(tmp_path):
    file = tmp_path / "vip_to_sandbox.yml"
    file.write_text("")

    with pytest.raises(BadDeclaration, match="no purpose and no channel"):
        load_sync(file)


def test_the_file_name_says_what_the_file_says(tmp_path):
    with pytest.raises(BadDeclaration, match=r"rename it to vip_to_sandbox\.yml"):
        load_sync(declared(tmp_path, name="vips_to_sandbox.yml"))


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(BadDeclaration, match="vip_to_sandbox"):
        find_sync("vipp_to_sandbox")
    with pytest.raises(BadDeclaration):
        find_sync("../../etc/passwd")


def test_every_sync_of_the_project_loads_with_its_destination():
    syncs = all_syncs()

    assert len(syncs) >= 4
    for sync in syncs:
        assert load_destination(sync).spec.batch_rows


def test_a_destination_without_its_identifier_is_refused():
    sync = Sync(**{**GOOD, "fields": {"first_name": "first_name"}})

    with pytest.raises(BadDeclaration, match="needs a column mapped to email"):
        load_destination(sync)


def test_an_unknown_destination_is_refused():
    with pytest.raises(BadDeclaration, match=r"add destinations/nowhere\.py"):
        load_destination(Sync(**{**GOOD, "destination": "nowhere", "fields": {"email": "email"}}))


def test_a_sync_cannot_be_changed():
    sync = all_syncs()[0]
    with pytest.raises(ValueError, match="frozen"):
        sync.purpose = "analytics"


def test_a_plugin_is_found_by_its_entry_point(monkeypatch):
    from importlib.metadata import EntryPoint

    from reverse_etl import destination
    from reverse_etl.destinations.sandbox import Destination

    asked = []

    def installed(group, name):
        asked.append((group, name))
        return [EntryPoint(name, "reverse_etl.destinations.sandbox:Destination", group)]

    monkeypatch.setattr(destination, "entry_points", installed)
    found = load_destination(Sync(**{**GOOD, "destination": "elsewhere", "fields": {"email": "email"}}))

    assert isinstance(found, Destination)
    assert asked == [("composable_cdp.destinations", "elsewhere")]
