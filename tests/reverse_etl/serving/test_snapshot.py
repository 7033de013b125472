"""What is published is a file of its own: served while it is fresh, changed person by person, and without names."""

from datetime import timedelta

from profile_town import ANN, SUPPORT, WEBSITE, Caller, consented
from trigger_town import NOON

from reverse_etl.serving.app import ProfileApi
from reverse_etl.serving.keys import Keys, add_key
from reverse_etl.serving.snapshot import publish, publish_changes
from reverse_etl.serving.store import SnapshotStore


def test_a_snapshot_that_is_missing_or_old_is_not_served(town, tmp_path):
    keys = tmp_path / "keys.yml"
    token = add_key(keys, "support", SUPPORT)
    store = SnapshotStore(tmp_path / "profiles.sqlite")
    clock = [NOON]
    caller = Caller(ProfileApi(store, Keys(keys), now=lambda: clock[0]))

    assert caller.ask("/v1/profiles/u-ann", token).json()["error"]["code"] == "unavailable"
    publish(town.warehouse, tmp_path / "profiles.sqlite", NOON)
    assert caller.ask("/v1/profiles/u-ann", token).status_code == 200
    clock[0] += timedelta(hours=25)
    assert caller.ask("/v1/profiles/u-ann", token).status_code == 503
    assert caller.ask("/health").json()["published_at"] == "2026-11-26T17:00:00Z"


def test_changes_are_published_one_by_one_and_a_new_file_is_seen(town, tmp_path):
    path = tmp_path / "profiles.sqlite"
    keys = tmp_path / "keys.yml"
    token = add_key(keys, "website", WEBSITE)
    publish(town.warehouse, path, NOON)
    caller = Caller(ProfileApi(SnapshotStore(path), Keys(keys), now=lambda: NOON))
    assert "traits" in caller.ask("/v1/profiles/user_id:u-ann", token).json()

    consented(town, "ann", "denied")
    town.warehouse.execute("delete from profiles.profiles where profile_id = 'bob'")
    publish_changes(town.warehouse, path, ["ann", "bob"], NOON)

    assert caller.ask("/v1/profiles/user_id:u-ann", token).json()["withheld"]["traits"] == "no_consent"
    assert caller.ask("/v1/profiles/user_id:u-bob", token).status_code == 404
    consented(town, "ann")
    publish(town.warehouse, path, NOON)
    assert "traits" in caller.ask("/v1/profiles/user_id:u-ann", token).json()


def test_a_published_file_is_its_owners_and_holds_no_readable_identifier(town, tmp_path):
    path = tmp_path / "served" / "profiles.sqlite"
    publish(town.warehouse, path, NOON)

    assert path.stat().st_mode & 0o077 == 0
    assert ANN.encode() not in path.read_bytes()
