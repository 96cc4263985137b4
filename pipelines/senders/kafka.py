"""A Kafka broker: one node, its records in a folder, which asks for a password."""

from __future__ import annotations

import base64
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.resources.ivy import resolve
from penstock.resources.jars import JarSet, parse_lock
from penstock.resources.java import require_java
from penstock.resources.ports import LOOPBACK, free_port
from pipelines.senders.program import SECONDS, Program, run_once

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Broker", "broker"]

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
log.retention.ms=-1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
auto.create.topics.enable=false
"""


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker. `port` asks for the password, `open_port` is for who makes the topics."""

    port: int
    open_port: int


@contextmanager
def broker(
    folder: Path, jars: Path, user: str, password: str, seconds: float = SECONDS
) -> Iterator[Broker]:
    """A broker for the length of the block, which begins with the records that `folder` has.

    `jars` is where its program is kept, fetched when it lacks. On loopback alone.

    Raises SetupError: no Java, no program to be had, or it does not start.
    """
    lock = parse_lock(Path(__file__).with_name("kafka.lock").read_text())
    resolve(jars, (JarSet.KAFKA,), lock=lock)
    folder.mkdir(parents=True, exist_ok=True)
    found = Broker(free_port(), free_port())
    secret = password.replace("\\", "\\\\").replace('"', '\\"')
    jaas = (
        f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{secret}";'
    )
    settings = folder / "server.properties"
    settings.touch(mode=0o600)
    settings.write_text(
        _SETTINGS.format(
            host=LOOPBACK,
            port=found.port,
            open=found.open_port,
            controller=free_port(),
            folder=folder,
            jaas=jaas.replace("\\", "\\\\"),
        )
    )
    path = ":".join(str(jars / jar.file) for jar in lock.jars)
    java = [str(require_java().path), *_FLAGS, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
    java += ["-cp", path]
    if not (folder / "data" / "meta.properties").exists():
        # one that begins with a hyphen, as one of 64 does, would be taken for an option
        name = "P" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]
        made = [*java, "kafka.tools.StorageTool", "format", "-t", name, "-c", str(settings)]
        run_once("Kafka's format", made, folder, seconds)
    server = Program(
        name="Kafka", command=[*java, "kafka.Kafka", str(settings)], log=folder / "log"
    )
    try:
        with server.running(lambda: _answers(found), seconds):
            yield found
    finally:
        settings.unlink()  # it has the password


def _answers(found: Broker) -> bool:
    # here, for the client is an extra
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    servers = f"{LOOPBACK}:{found.open_port}"
    try:
        client = AdminClient({"bootstrap.servers": servers, "log_level": 0})
        return bool(client.list_topics(timeout=1).brokers)
    except KafkaException:
        return False
