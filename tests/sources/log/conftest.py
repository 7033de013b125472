"""What tests of the log start from."""

import os
import shutil

import fsspec
import pytest
from disks import FailingDisk
from nats_server import NatsServer
from s3_server import s3

from sources.log.writer import Limits, Writer


@pytest.fixture
def disk():
    return FailingDisk()


@pytest.fixture
def begin(tmp_path, disk):
    """Start writers on one folder, and end them with the test."""
    writers = []

    def begun(worker="w0", **limits):
        writers.append(Writer(tmp_path, worker, Limits(**limits), disk))
        return writers[-1]

    yield begun
    for writer in writers:
        writer.close()


@pytest.fixture
def nats(tmp_path):
    if not shutil.which("nats-server"):
        if os.environ.get("CDP_TEST_NATS"):
            pytest.fail("CDP_TEST_NATS is set and nats-server isn't here")
        pytest.skip("nats-server (Debian's package) is not installed")
    server = NatsServer(tmp_path / "jetstream").start()
    yield server
    server.stop()


@pytest.fixture
def kafka(tmp_path):
    """A broker of librdkafka's own, inside this process."""
    library = pytest.importorskip("confluent_kafka")
    broker = library.Producer({"bootstrap.servers": "unused", "test.mock.num.brokers": 1, "log_level": 0})
    [found] = broker.list_topics(timeout=10).brokers.values()
    yield f"kafka://{found.host}:{found.port}/cdp-test?log_level=0"
    broker.flush(1)


@pytest.fixture
def memory():
    store = fsspec.filesystem("memory")
    store.store.clear()
    yield "memory://bucket/log"
    store.store.clear()


@pytest.fixture
def bucket(monkeypatch):
    """A stand-in for S3 that real clients speak with; credentials as an installation has them."""
    pytest.importorskip("s3fs")
    with s3() as server:
        given = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "eu-central-1"}
        given["endpoint_url"] = f"http://127.0.0.1:{server.server_port}"
        for name, value in given.items():
            monkeypatch.setenv(f"LOG__CREDENTIALS__{name.upper()}", value)
        yield server


@pytest.fixture(params=["nats", "kafka", "memory", "file", "bucket"])
def address(request, tmp_path):
    if request.param == "file":
        return (tmp_path / "far").as_uri()
    found = request.getfixturevalue(request.param)
    if request.param == "bucket":
        return "s3://exports/log"
    return found.address if request.param == "nats" else found
