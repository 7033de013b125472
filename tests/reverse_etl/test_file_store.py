"""Folders here and far away: a file is whole or not there, and what goes wrong is an OSError."""

import stat

import pytest
from s3_server import s3

from reverse_etl.destination import DestinationRefused
from reverse_etl.file_store import LocalFolder, RemoteFolder, open_folder


@pytest.fixture
def bucket(monkeypatch):
    """A bucket `exports`, reached as a bucket is: by the environment."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    with s3() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "synthetic")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "synthetic")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        yield server


@pytest.fixture(params=["local", "memory", "renamed", "s3"])
def store(request, tmp_path):
    if request.param == "s3":
        request.getfixturevalue("bucket")
        return open_folder("s3://exports/vip")
    if request.param == "renamed":  # a file system of fsspec in which a file appears before it is whole
        return RemoteFolder(f"file://{tmp_path}/exports")
    return open_folder({"local": f"file://{tmp_path}/exports", "memory": f"memory://{tmp_path}"}[request.param])


def put(store, name, text):
    with store.workspace() as workspace:
        (workspace / "new").write_text(text)
        store.put(workspace / "new", name)


def text(store, name):
    with store.workspace() as workspace:
        file = store.fetch(name, workspace)
        return file.read_text() if file else None


def test_what_was_put_is_there_and_what_was_not_is_not(store):
    assert store.names() == []
    assert text(store, "members.csv") is None

    put(store, "members.csv", "one")
    put(store, "changes/run=000001/part-00001.csv", "two")
    put(store, "members.csv", "three")

    assert store.names() == ["changes/run=000001/part-00001.csv", "members.csv"]
    assert text(store, "members.csv") == "three"
    store.drop("members.csv")
    assert store.names() == ["changes/run=000001/part-00001.csv"]


def test_a_local_folder_is_its_owners_only(tmp_path):
    store = LocalFolder(tmp_path / "a" / "b")
    put(store, "c/d.csv", "x")

    assert stat.S_IMODE((tmp_path / "a" / "b" / "c" / "d.csv").stat().st_mode) == 0o600
    for folder in ("a", "a/b", "a/b/c"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700


def test_a_folder_that_was_there_keeps_its_rights(tmp_path):
    (tmp_path / "shared").mkdir(mode=0o755)
    put(LocalFolder(tmp_path / "shared"), "x.csv", "x")

    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o755


def test_an_object_is_one_request_so_that_it_is_never_half_there(bucket):
    put(open_folder("s3://exports/vip"), "members.csv", "one")

    assert [call for call in bucket.calls if call[0] in {"PUT", "POST"}] == [("PUT", "vip/members.csv")]


def test_a_bucket_that_is_closed_is_a_lack_of_permission(bucket):
    store = open_folder("s3://exports/vip")
    bucket.is_closed = True

    with pytest.raises(PermissionError):
        put(store, "members.csv", "one")


def test_a_bucket_that_is_missing_is_not_found(bucket):
    with pytest.raises(FileNotFoundError):
        put(open_folder("s3://nobodys/vip"), "members.csv", "one")


def test_a_store_that_is_away_is_an_os_error(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    with pytest.raises(OSError, match="Error"):
        put(open_folder("s3://exports/vip"), "members.csv", "one")


def test_a_file_system_that_is_not_installed_is_for_a_person():
    with pytest.raises(DestinationRefused, match="isn't installed"):
        open_folder("dropbox://x")
