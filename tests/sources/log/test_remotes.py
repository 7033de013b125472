"""The same promises past one machine: object stores, a real NATS server, and librdkafka's mock of a Kafka broker."""

import json
import time
from contextlib import closing

import pytest

from sources.configuration import read_configuration
from sources.log.followers import Followers
from sources.log.forwarder import Forwarder
from sources.log.opening import log_reader, open_log
from sources.log.reader import Reader
from sources.log.refusals import LogFailed
from sources.log.remotes import remote_at
from sources.log.writer import Limits, Writer
from sources.refusals import BadConfiguration

LANE = "shop.visits"
LINES = [json.dumps({"n": number, "filler": "x" * (number % 50)}).encode() for number in range(200)]


def read_all(reader, limit=1000):
    position, found = {}, []
    while True:
        lines, after = reader.read(LANE, position, limit)
        found += lines
        if not lines and after == position:
            return found
        position = json.loads(json.dumps(after))


def written(root, lines, **limits):
    writer = Writer(root, node="here.w", limits=Limits(**limits))
    for at in range(0, len(lines), 7):
        writer.append_now(LANE, lines[at : at + 7])
    writer.close()


def test_what_is_shipped_is_read_there_once_whatever_is_shipped_again(address, tmp_path):
    written(tmp_path / "log", LINES, segment_bytes=1500)
    with closing(remote_at(address)) as remote:
        assert Forwarder(tmp_path / "log", remote).ship() > 0
        assert Forwarder(tmp_path / "log", remote).ship() == 0
        assert sorted(read_all(remote.reader())) == sorted(LINES)
        (tmp_path / "log" / ".followers" / "shipping.json").unlink()  # killed before it could say so
        Forwarder(tmp_path / "log", remote).ship()
        assert read_all(remote.reader()) == LINES


def test_a_line_larger_than_a_message_is_read_whole(address, tmp_path):
    large = json.dumps({"filler": "é" * 900_000}, ensure_ascii=False).encode()
    written(tmp_path / "log", [LINES[0], large, LINES[1]])
    with closing(remote_at(address)) as remote:
        Forwarder(tmp_path / "log", remote).ship()
        assert read_all(remote.reader()) == [LINES[0], large, LINES[1]]


def test_nothing_is_there_before_anything_was_shipped(address):
    with closing(remote_at(address)) as remote:
        reader = remote.reader()
        assert reader.read(LANE, {}, 100)[0] == []
        assert reader.has_passed({}, reader.end(LANE))


def test_the_end_is_passed_once_all_is_read(address, tmp_path):
    written(tmp_path / "log", LINES[:20])
    with closing(remote_at(address)) as remote:
        Forwarder(tmp_path / "log", remote).ship()
        reader = remote.reader()
        end = reader.end(LANE)
        assert not reader.has_passed({}, end)
        assert reader.has_passed(reader.read(LANE, {}, 1 << 20)[1], end)


def test_many_messages_are_read_in_few_round_trips(nats, tmp_path, monkeypatch):
    written(tmp_path / "log", LINES, segment_bytes=100)
    with closing(remote_at(nats.address)) as remote:
        Forwarder(tmp_path / "log", remote).ship()
        asked = []
        run = remote.run
        monkeypatch.setattr(remote, "run", lambda coroutine: asked.append(1) or run(coroutine))
        assert remote.reader().read(LANE, {}, 1 << 20)[0] == LINES
        assert len(asked) <= 6  # where the end is, a consumer, 29 messages, and its end
        asked.clear()
        position = remote.reader().read(LANE, {}, 1 << 20)[1]
        written(tmp_path / "log", LINES[:7])
        Forwarder(tmp_path / "log", remote).ship()
        asked.clear()
        assert remote.reader().read(LANE, position, 1 << 20)[0] == LINES[:7]
        assert len(asked) == 1


@pytest.fixture(params=["nats", "kafka"])
def broker(request):
    found = request.getfixturevalue(request.param)
    return found.address if request.param == "nats" else found


def test_an_answer_of_the_broker_is_the_promise(broker, cdp_home, monkeypatch):
    monkeypatch.setenv("CDP_LOG_ADDRESS", broker)
    monkeypatch.setenv("CDP_LOG_ACK", "broker")
    for run in range(2):
        log = open_log(read_configuration())
        log.writer.append_now(LANE, LINES[run * 10 : run * 10 + 10])
        assert len(log_reader(read_configuration()).read(LANE, {}, 1 << 20)[0]) == 10 * (run + 1)
        log.close()
    assert read_all(log_reader(read_configuration())) == LINES[:20]
    assert not (cdp_home / "log" / LANE).exists()


def test_local_answers_are_shipped_in_the_background_and_the_rest_at_the_end(address, cdp_home, monkeypatch):
    monkeypatch.setenv("CDP_LOG_ADDRESS", address)
    log = open_log(read_configuration())
    log.writer.append_now(LANE, LINES[:50])
    log.close()
    assert read_all(log_reader(read_configuration())) == LINES[:50]
    assert Followers(cdp_home / "log").names() == ["shipping"]


def test_while_the_broker_is_away_nothing_is_lost_and_it_gets_all_later(nats, tmp_path, monkeypatch):
    monkeypatch.setattr("sources.log.remotes.nats.PATIENCE", 0.5)
    with closing(remote_at(nats.address)) as remote:
        forwarder = Forwarder(tmp_path / "log", remote)
        written(tmp_path / "log", LINES[:50])
        forwarder.ship()
        nats.stop()
        written(tmp_path / "log", LINES[50:])
        with pytest.raises(LogFailed):
            forwarder.ship()
        nats.start()
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                forwarder.ship()
                break
            except LogFailed:
                time.sleep(0.1)
        assert sorted(read_all(remote.reader())) == sorted(LINES)


def test_without_the_broker_nothing_is_promised(nats, cdp_home, monkeypatch):
    monkeypatch.setattr("sources.log.remotes.nats.PATIENCE", 0.5)
    monkeypatch.setenv("CDP_LOG_ADDRESS", nats.address)
    monkeypatch.setenv("CDP_LOG_ACK", "broker")
    log = open_log(read_configuration())
    log.writer.append_now(LANE, LINES[:1])
    nats.stop()
    with pytest.raises(LogFailed, match="NATS"):
        log.writer.append_now(LANE, LINES[1:2])
    nats.start()
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            log.writer.append_now(LANE, LINES[2:3])
            break
        except LogFailed:
            time.sleep(0.1)
    read = read_all(log_reader(read_configuration()))
    assert [line for line in read if line != LINES[1]] == [LINES[0], LINES[2]]
    log.close()


def test_a_bucket_that_is_closed_for_a_while_costs_nothing(bucket, tmp_path):
    written(tmp_path / "log", LINES, segment_bytes=1500)
    with closing(remote_at("s3://exports/log")) as remote:
        bucket.is_closed = True
        with pytest.raises(LogFailed, match="object store"):
            Forwarder(tmp_path / "log", remote).ship()
        bucket.is_closed = False
        Forwarder(tmp_path / "log", remote).ship()
        assert read_all(remote.reader()) == LINES
    assert all(key.startswith(f"log/{LANE}/") for key in bucket.objects)


def test_an_object_store_can_not_promise(cdp_home, monkeypatch, memory):
    monkeypatch.setenv("CDP_LOG_ADDRESS", memory)
    monkeypatch.setenv("CDP_LOG_ACK", "broker")
    with pytest.raises(BadConfiguration, match="CDP_LOG_ACK=broker needs"):
        open_log(read_configuration())


def test_two_machines_share_an_address(address, tmp_path):
    with closing(remote_at(address)) as remote:
        for node in ("a", "b"):
            writer = Writer(tmp_path / node, node=f"{node}.w")
            writer.append_now(LANE, [f'{{"node":"{node}"}}'.encode()])
            writer.close()
            Forwarder(tmp_path / node, remote).ship()
        assert sorted(read_all(remote.reader())) == [b'{"node":"a"}', b'{"node":"b"}']


def test_only_one_process_of_a_machine_ships(tmp_path, memory):
    with closing(remote_at(memory)) as remote:
        first, second = (Forwarder(tmp_path / "log", remote) for _ in range(2))
        first.start()
        time.sleep(0.1)
        second.start()
        second.close()
        first.close()
    assert Reader(tmp_path / "log").lanes() == []
