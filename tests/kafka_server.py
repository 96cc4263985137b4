"""A Kafka broker of the tests' own: one node in a temporary folder, which asks for a password."""

from __future__ import annotations

import base64
import json
import logging
import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from penstock.resources.home import home
from penstock.resources.ivy import resolve
from penstock.resources.jars import JarSet, parse_lock
from penstock.resources.java import require_java
from penstock.resources.ports import LOOPBACK, free_port
from tests.patience import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["PASSWORD", "READER", "KafkaServer", "kafka_server"]

PASSWORD = 'open "sesame" \\ 42'
READER = "reader"
_FLAGS = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
_SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{open},SASL_PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{open},SASL_PLAINTEXT://{host}:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config={jaas}
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
auto.create.topics.enable=false
"""


class KafkaServer:
    """A running broker. `port` asks for the password of READER; the tests themselves need none."""

    def __init__(self, port: int, open_port: int) -> None:
        self.port = port
        self._servers = {
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

    def send(self, topic: str, *values: object, key: str | None = None, partition: int = 0) -> None:
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
def kafka_server() -> Iterator[KafkaServer]:
    """A broker for the length of the block; its process and its folder are gone afterwards."""
    jars = home() / "test-jars"
    lock = parse_lock(Path(__file__).with_name("kafka.lock").read_text())
    resolve(jars, (JarSet.KAFKA,), lock=lock)
    folder = Path(tempfile.mkdtemp(prefix="penstock-kafka-"))
    port, open_port, controller = free_port(), free_port(), free_port()
    secret = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
    jaas = (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'user_{READER}="{secret}";'
    )
    settings = folder / "server.properties"
    settings.write_text(
        _SETTINGS.format(
            host=LOOPBACK,
            port=port,
            open=open_port,
            controller=controller,
            folder=folder,
            jaas=jaas.replace("\\", "\\\\"),
        )
    )
    path = ":".join(str(jars / jar.file) for jar in lock.jars)
    java = [str(require_java().path), *_FLAGS, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
    java += ["-cp", path]
    name = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    made = [*java, "kafka.tools.StorageTool", "format", "-t", name, "-c", str(settings)]
    setpriv = shutil.which("setpriv")
    with_us = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
    try:
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE_SECONDS)
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [*with_us, *java, "kafka.Kafka", str(settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            found = KafkaServer(port, open_port)
            until(lambda: server.poll() is not None or _answers(found), "Kafka answers")
            assert server.poll() is None, (folder / "log").read_text()[-2000:]
            yield found
        finally:
            if server.poll() is None:
                os.kill(server.pid, signal.SIGKILL)  # nothing of it is wanted any more
            server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(found: KafkaServer) -> bool:
    try:
        return bool(found.admin.list_topics(timeout=1).brokers)
    except KafkaException:
        return False
