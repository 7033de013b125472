"""A log with Kafka's protocol: a topic for each lane, a worker's pieces in one partition. Needs the extra `kafka`.

`kafka://host:port,host:port/<prefix>?security.protocol=SASL_SSL&…`: what follows the question mark goes to librdkafka.
"""

from collections.abc import Generator, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import parse_qsl

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, Producer, TopicPartition

from sources.log.broker import BrokerReader, Piece, Stream, pieces
from sources.log.reader import Reads
from sources.log.refusals import LogFailed

PATIENCE = 10.0  # seconds for one message
SEGMENT, OFFSET = "cdp-segment", "cdp-offset"


class Kafka:
    """Waits for every replica in sync; librdkafka's idempotence keeps the order of what it tries again."""

    takes_open_segments = True

    def __init__(self, address: str) -> None:
        rest, _, options = address.removeprefix("kafka://").partition("?")
        servers, _, prefix = rest.partition("/")
        self.prefix = prefix or "cdp-log"
        self.settings = {"bootstrap.servers": servers, **dict(parse_qsl(options))}
        self._producer = Producer(
            {**self.settings, "enable.idempotence": True, "acks": "all", "delivery.timeout.ms": int(PATIENCE * 1000)}
        )

    def put(self, lane: str, segment: str, offset: int, data: bytes) -> None:
        """One message after the other: a second that arrives without the first would hide it."""
        worker = segment.rsplit("-", 2)[0]
        for at, piece in pieces(offset, data):
            answers: list[Any] = []
            try:
                self._producer.produce(
                    self.topic(lane), piece, key=worker,
                    headers={SEGMENT: segment, OFFSET: str(at)},
                    on_delivery=lambda fault, _message, answers=answers: answers.append(fault),
                )  # fmt: skip
                self._producer.flush(PATIENCE + 1)
            except (KafkaException, BufferError) as fault:
                raise LogFailed(f"Kafka did not take a message: {type(fault).__name__}") from None
            if answers != [None]:
                self._producer.purge()
                raise LogFailed(f"Kafka did not take a message: {answers[0].name() if answers else 'no answer'}")

    def reader(self) -> Reads:
        return BrokerReader(Messages(self))

    def close(self) -> None:
        self._producer.flush(PATIENCE)

    def topic(self, lane: str) -> str:
        return f"{self.prefix}.{lane}"

    def consumer(self) -> Consumer:
        return Consumer(
            {
                **self.settings,
                "group.id": self.prefix,  # asked for by the library; positions are kept by who reads
                "enable.auto.commit": False,
                "enable.partition.eof": False,
                "auto.offset.reset": "earliest",
            }
        )


class Messages(Stream):
    """The messages of one topic; the parts are its partitions."""

    def __init__(self, remote: Kafka) -> None:
        self._remote = remote

    def after(self, lane: str, cursors: Mapping[str, int]) -> Generator[Piece]:
        topic = self._remote.topic(lane)
        with closing(self._remote.consumer()) as consumer:
            left = {part: end for part, end in self._ends(consumer, topic).items() if cursors.get(part, 0) < end}
            consumer.assign([TopicPartition(topic, int(part), cursors.get(part, OFFSET_BEGINNING)) for part in left])
            while left and (message := consumer.poll(PATIENCE)) is not None:
                if message.error():
                    raise LogFailed(f"Kafka did not give a message: {message.error().name()}")
                piece = piece_of(message)
                if piece.cursor >= left.get(piece.part, 0):
                    left.pop(piece.part, None)
                yield piece

    def ends(self, lane: str) -> dict[str, int]:
        with closing(self._remote.consumer()) as consumer:
            return self._ends(consumer, self._remote.topic(lane))

    def _ends(self, consumer: Consumer, topic: str) -> dict[str, int]:
        try:
            found = consumer.list_topics(topic, timeout=PATIENCE).topics[topic]
            ends = {
                str(part): consumer.get_watermark_offsets(TopicPartition(topic, part), timeout=PATIENCE)[1]
                for part in found.partitions
            }
        except KafkaException as fault:
            raise LogFailed(f"Kafka did not give a message: {type(fault).__name__}") from None
        return {part: end for part, end in ends.items() if end > 0}


def piece_of(message: Message) -> Piece:
    name = {key: value.decode() for key, value in message.headers() or []}
    place = int(name.get(OFFSET, 0))
    return Piece(str(message.partition()), message.offset() + 1, name.get(SEGMENT, ""), place, message.value() or b"")


REMOTE = Kafka
