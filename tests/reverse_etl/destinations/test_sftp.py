"""Files on a real SFTP server in this process: who may log in, who it must be, and what a reader sees."""

import csv
import threading
from importlib.util import find_spec

import pytest

from reverse_etl.deliver import Delivery
from reverse_etl.destination import DestinationRefused, Outcome
from reverse_etl.destinations.sftp import Destination
from reverse_etl.sync import BadDeclaration, Sync
from reverse_etl.testing import check, sample

needs_paramiko = pytest.mark.skipif(not find_spec("paramiko"), reason="the extra `sftp` (paramiko) is not installed")


def sftp(url="", **options):
    return Destination(
        Sync(
            audience="vip",
            destination="sftp",
            purpose="marketing",
            channel="post",
            fields={"profile_id": "profile_id", "first_name": "first_name"},
            options={"url": url, **options},
        )
    )


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def server(root, monkeypatch):
    from sftp_server import PASSWORD, serving

    with serving(root) as server:
        monkeypatch.setenv("SFTP_PASSWORD", PASSWORD)
        monkeypatch.setenv("SFTP_HOST_KEY", server.pin)
        monkeypatch.setenv("SFTP_URL", f"sftp://cdp@127.0.0.1:{server.port}/exports/vip")
        yield server


def rows(file):
    if not file.exists():
        return []
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def deliver(destination, changes):
    with destination.connect() as transport:
        return Delivery(destination, transport, float("inf"), sleep=lambda _: None).deliver(changes)


@needs_paramiko
def test_it_conforms(server, root):
    members = root / "exports/vip/members.csv"
    there = lambda change: change.member_id in {row["_member_id"] for row in rows(members)}  # noqa: E731

    check(sftp(), holds=there, over_http=False)


@needs_paramiko
def test_a_reader_never_sees_half_a_file(server, root):
    deliver(sftp(), sample(sftp()))

    written = {path for step, path in server.steps if step == "write"}
    assert written
    assert all(path.endswith(".part") for path in written)
    assert [step for step, _ in server.steps] == ["write", "rename"] * 3
    assert server.steps[-1] == ("rename", "/exports/vip/manifest.json")
    assert not list(root.rglob("*.part"))


@needs_paramiko
def test_a_removal_is_in_the_changes_and_out_of_the_members(server, root):
    deliver(sftp(), sample(sftp()))
    deliver(sftp(), sample(sftp(), "remove", (1,)))

    assert [row["profile_id"] for row in rows(root / "exports/vip/members.csv")] == ["profile_id-2", "profile_id-3"]
    [gone] = rows(root / "exports/vip/changes/run=000002/part-00001.csv")
    assert (gone["operation"], gone["profile_id"]) == ("remove", "profile_id-1")


@needs_paramiko
def test_a_server_that_cannot_rename_over_a_file_is_served_too(root, monkeypatch, server):
    server.can_rename_over = False
    for people in ((1,), (2,)):
        deliver(sftp(), sample(sftp(), people=people))

    assert len(rows(root / "exports/vip/members.csv")) == 2


@needs_paramiko
def test_a_connection_that_breaks_is_opened_again(server, root):
    from paramiko import Transport

    destination = sftp()
    with destination.connect() as transport:
        ours = [one for one in threading.enumerate() if isinstance(one, Transport) and one not in server.transports]
        for other in server.transports:
            other.close()
        for one in ours:
            one.join(10)  # ends when it hears of that
        delivery = Delivery(destination, transport, float("inf"), sleep=lambda _: None)
        receipts = delivery.deliver(sample(destination))

    assert {r.outcome for r in receipts} == {Outcome.DELIVERED}
    assert delivery.requests == 1
    assert len(rows(root / "exports/vip/members.csv")) == 3


@needs_paramiko
def test_another_host_key_than_the_pinned_one_gets_nothing(server, root, monkeypatch):
    import paramiko

    other = paramiko.ECDSAKey.generate()
    monkeypatch.setenv("SFTP_HOST_KEY", f"{other.get_name()} {other.get_base64()}")

    with pytest.raises(DestinationRefused, match="does not show the host key"), sftp().connect():
        pass
    assert not list(root.iterdir())


@needs_paramiko
def test_a_key_of_another_kind_is_another_key(server, monkeypatch):
    import paramiko

    other = paramiko.RSAKey.generate(2048)
    monkeypatch.setenv("SFTP_HOST_KEY", f"{other.get_name()} {other.get_base64()}")

    with pytest.raises(DestinationRefused, match="does not show the host key"), sftp().connect():
        pass


@needs_paramiko
def test_the_pin_may_be_an_option_and_must_be_a_key(server, monkeypatch):
    monkeypatch.delenv("SFTP_HOST_KEY")
    with sftp(host_key=server.pin).connect():
        pass
    with pytest.raises(DestinationRefused, match="ssh-keyscan"), sftp(host_key="trust me").connect():
        pass
    with pytest.raises(DestinationRefused, match="pin the server's host key"), sftp().connect():
        pass


@needs_paramiko
def test_a_wrong_password_is_for_a_person_and_is_not_repeated(server, monkeypatch):
    monkeypatch.setenv("SFTP_PASSWORD", "another")

    with pytest.raises(DestinationRefused, match="can't be used") as refused, sftp().connect():
        pass
    assert "another" not in str(refused.value)


@needs_paramiko
def test_without_credentials_nothing_is_tried(server, monkeypatch):
    monkeypatch.delenv("SFTP_PASSWORD")

    with pytest.raises(DestinationRefused, match="set SFTP_PASSWORD"), sftp().connect():
        pass


@needs_paramiko
def test_a_server_that_is_away_is_said_to_be(server, monkeypatch):
    monkeypatch.setenv("SFTP_URL", "sftp://cdp@127.0.0.1:1/exports")

    with pytest.raises(DestinationRefused, match="can't be used"), sftp().connect():
        pass


@pytest.mark.parametrize(
    "url", ["", "https://h/x", "sftp://h/x", "sftp://u@/x", "sftp://u@h", "sftp://u@h/", "sftp://u:secret@h/x"]
)
def test_the_address_names_user_host_and_folder_and_no_password(url, monkeypatch):
    monkeypatch.delenv("SFTP_URL", raising=False)

    with pytest.raises(BadDeclaration, match=r"sftp://user@host/folder") as bad:
        sftp(url)
    assert "secret" not in str(bad.value)


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("reverse_etl.destinations.sftp.find_spec", lambda _: None)

    with pytest.raises(DestinationRefused, match=r"pip install -e '\.\[sftp\]'"), sftp("sftp://u@h/x").connect():
        pass
