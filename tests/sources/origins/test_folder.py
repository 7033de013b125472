import fsspec
import pytest

from sources.configuration import read_configuration
from sources.origins import origin_of
from sources.origins.folder import stamp_of
from sources.refusals import BadConfiguration
from sources.source import load_source


@pytest.fixture
def bucket(town, monkeypatch):
    """An inbox that isn't on this machine's disk, addressed as a bucket is."""
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    monkeypatch.setenv("CDP_INBOX", "memory://supplier/inbox")
    yield memory
    memory.store.clear()


def test_an_inbox_behind_an_address_is_read_like_a_folder(town, bucket):
    """The worked example for s3://, gs:// and az://: the same code, another address."""
    bucket.pipe_file("/supplier/inbox/shop/customers/may.csv", b"id,name\nc1,Ann\n")
    assert town.load().rows == {"customers": 1}
    assert town.load().rows == {}
    bucket.pipe_file("/supplier/inbox/shop/customers/2017/june.csv", b"id,name\nc2,Bob\n")
    assert town.load().rows == {"customers": 1}
    assert town.rows("select id, _source_file from raw.shop__customers order by id") == [
        ("c1", "shop/customers/may.csv"),
        ("c2", "shop/customers/2017/june.csv"),
    ]


def test_one_source_can_have_an_inbox_of_its_own(town, bucket, monkeypatch):
    monkeypatch.setenv("SOURCES__SHOP__BUCKET_URL", "memory://elsewhere")
    bucket.pipe_file("/supplier/inbox/shop/customers/a.csv", b"id\nc1\n")
    bucket.pipe_file("/elsewhere/shop/customers/a.csv", b"id\nc2\n")
    town.load()
    assert town.customers() == ["c2"]


def test_a_file_url_is_a_folder_too(town, monkeypatch):
    monkeypatch.setenv("CDP_INBOX", (town.home / "inbox").as_uri())
    town.drop_rows("shop/customers/a.jsonl", {"id": "c1"})
    assert town.load().rows == {"customers": 1}


def test_a_store_that_gives_tags_is_trusted_on_them_more_than_on_times():
    assert stamp_of({"size": 3, "ETag": '"x"', "LastModified": "now"}) == '3:"x"'
    assert stamp_of({"size": 3, "mtime": 1.5}) == "3:1.5"


def test_an_unknown_origin_is_refused_with_the_three_that_exist(cdp_home, monkeypatch):
    monkeypatch.setenv("SOURCES__CRM__ORIGIN", "fax")
    with pytest.raises(BadConfiguration, match=r"sources\.crm\.origin is 'fax'; set it to folder, database, api"):
        origin_of(load_source("crm"), read_configuration())
