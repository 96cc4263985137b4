"""A Kafka broker of the tests' own: one node in a temporary folder, which asks for a password."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    NewPartitions,
    NewTopic,
)

from penstock.resources.home import home
from penstock.resources.ports import LOOPBACK
from pipelines.senders.kafka import broker
from tests.patience import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["PASSWORD", "READER", "KafkaServer", "kafka_server"]

PASSWORD = 'open "sesame" \\ 42'
READER = "reader"


class KafkaServer:
    """A running broker. `port` asks for the password of READER; the tests themselves need none."""

    def __init__(self, port: int, open_port: int) -> None:
        self.port = port
        self._servers: dict[str, Any] = {
            "bootstrap.servers": f"{LOOPBACK}:{open_port}",
            "logger": logging.getLogger(__name__),
        }
        self.admin = AdminClient(self._servers)

    def producer(self, **otherwise: Any) -> Producer:
        """A program that sends records, such as others have."""
        return Producer(self._servers | otherwise)

    def make(self, topic: str, partitions: int = 1, **config: str) -> None:
        """Make the topic."""
        made = self.admin.create_topics([NewTopic(topic, partitions, 1, config=config)])
        made[topic].result()
        self._until_led(topic, partitions)

    def widen(self, topic: str, partitions: int) -> None:
        """Give the topic more partitions."""
        self.admin.create_partitions([NewPartitions(topic, partitions)])[topic].result()
        self._until_led(topic, partitions)

    def _until_led(self, topic: str, partitions: int) -> None:
        """Wait until each partition has a leader."""

        def led() -> bool:
            found = self.admin.list_topics().topics.get(topic)
            parts = found.partitions.values() if found else ()
            return sum(part.leader >= 0 for part in parts) == partitions

        until(led, f"{topic} has {partitions} leaders")

    def send(self, topic: str, *values: Any, key: str | None = None, partition: int = 0) -> None:
        """Records as they are, objects as JSON."""
        producer = self.producer()
        for value in values:
            raw = json.dumps(value).encode() if isinstance(value, dict) else value
            producer.produce(topic, raw, key, partition)
        assert producer.flush(PATIENCE_SECONDS) == 0

    def forget(self, topic: str, before: Mapping[int, int]) -> None:
        """Delete the records before these offsets, as retention does."""
        found = self.admin.delete_records([TopicPartition(topic, *each) for each in before.items()])
        for done in found.values():
            done.result()

    def drop(self, topic: str) -> None:
        """Delete the topic."""
        self.admin.delete_topics([topic])[topic].result()
        until(lambda: topic not in self.admin.list_topics().topics, f"{topic} is gone")


@contextmanager
def kafka_server(password: str = PASSWORD) -> Iterator[KafkaServer]:
    """A broker for the length of the block; its process and its folder are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="penstock-kafka-"))
    try:
        with broker(folder, home() / "broker-jars", READER, password, PATIENCE_SECONDS) as found:
            yield KafkaServer(found.port, found.open_port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
