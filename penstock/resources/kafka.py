"""A Kafka cluster that is read from: where it is, and how far the partitions of a topic reach.

Nothing is subscribed to and no consumer group is known to it: how far a topic was taken is in the
commits of the table that was made of it.
"""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from dagster import ConfigurableResource
from pydantic import model_validator

from penstock.errors import DefinitionError, InputError, SetupError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Future

    from penstock.resources.secrets import Password

__all__ = ["Kafka", "Partition", "TopicState"]

_ANSWER_SECONDS = 30
_POLL_SECONDS = 0.05
_NO_ID = "A" * 22  # zero
# librdkafka's codes of what another try does not mend
_REFUSED = {
    "UNKNOWN_TOPIC_OR_PART": "there is no such topic",
    "TOPIC_EXCEPTION": "there is no such topic",
    "TOPIC_AUTHORIZATION_FAILED": "the user lacks READ or DESCRIBE, or for change events "
    "DESCRIBE_CONFIGS, on this topic",
    "CLUSTER_AUTHORIZATION_FAILED": "the user lacks a right on the cluster",
    "_AUTHENTICATION": "the broker refuses the user or the password",
    "SASL_AUTHENTICATION_FAILED": "the broker refuses the user or the password",
    "_INVALID_ARG": "the client does not take what the resource says",
    "_SSL": "the connection cannot be encrypted as the resource says",
}
_JAAS = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Partition:
    """The offsets that a partition has records of: `first` included, `end` excluded."""

    first: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicState:
    """A topic at one moment. `id` is Kafka's: another one where it was made anew.

    `kept_milliseconds` is how long a record is kept at least, whatever comes after it under its
    key; None where it is not known, which is asked for alone.
    """

    id: str
    partitions: Mapping[int, Partition]
    kept_milliseconds: int | None = None


class Kafka(ConfigurableResource["Kafka"]):
    """Where a Kafka cluster is, and who reads it. A resource of the name that `topic` says.

    `bootstrap_servers` are `host:port`, with commas between. With a `user` the password is the one
    of the resource's name in the `secrets` resource, and `security_protocol` is one with SASL.
    `ssl_ca` is a PEM file with the certificates that are trusted, those of the system unless told.
    The user needs READ and DESCRIBE on the topics, DESCRIBE_CONFIGS on those of change events, and
    nothing on groups. A broker that says nothing for `timeout_seconds` is lost.
    """

    bootstrap_servers: str
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    user: str | None = None
    ssl_ca: str | None = None
    timeout_seconds: int = 120

    @model_validator(mode="after")
    def _user_and_protocol(self) -> Self:
        """With a user the password is asked for, and without one nobody is told apart."""
        if (self.user is not None) != self.security_protocol.startswith("SASL"):
            raise DefinitionError(
                "a user and a protocol that does not ask for one"
                if self.user is not None
                else "a protocol that asks for a user, and none is told",
                where=f"Kafka(bootstrap_servers={self.bootstrap_servers!r})",
                expected="user= with SASL_SSL or SASL_PLAINTEXT, and with no other",
                found=f"user={self.user!r}, security_protocol={self.security_protocol!r}",
                next_step="write security_protocol='SASL_SSL' beside user=",
            )
        return self

    @property
    def namespace(self) -> str:
        """The cluster, by OpenLineage's naming: its first server."""
        return f"kafka://{self.bootstrap_servers.partition(',')[0].strip()}"

    def state(self, password: Password | None, topic: str, *, kept: bool = False) -> TopicState:
        """How far the topic reaches now, as far as it is committed; with `kept` what it promises.

        Raises SetupError without a client, SourceError when no broker answers, InputError when it
        refuses or there is no such topic.
        """
        try:
            from confluent_kafka import (
                IsolationLevel,
                KafkaException,
                TopicCollection,
                TopicPartition,
            )
            from confluent_kafka.admin import (  # type: ignore[attr-defined]
                AdminClient,
                ConfigResource,
                OffsetSpec,
            )
        except ModuleNotFoundError as error:
            raise SetupError(
                "the client for Kafka is not installed",
                where=self.namespace,
                found=f"no module {error.name}",
                next_step="pip install 'penstock[kafka]'",
            ) from error
        where = f"{self.namespace}, topic {topic}"
        problems: list[Any] = []
        with self._told(where, problems, KafkaException):
            client = AdminClient(self._client(password, problems))
            asked = {"request_timeout": min(_ANSWER_SECONDS, self.timeout_seconds)}

            def answer(future: Future[Any]) -> Any:
                # what is wrong with a connection is told at once, and only to who asks
                while not future.done():
                    client.poll(_POLL_SECONDS)
                    if refusals := _of_all(problems):
                        raise KafkaException(refusals[0])
                return future.result()

            topics = client.describe_topics(TopicCollection([topic]), **asked)
            described = answer(topics[topic])
            parts = [TopicPartition(topic, part.id) for part in described.partitions]
            found = {}
            ends = {"first": OffsetSpec.earliest(), "end": OffsetSpec.latest()}  # type: ignore[no-untyped-call]
            for name, spec in ends.items():
                answers = client.list_offsets(
                    dict.fromkeys(parts, spec),
                    isolation_level=IsolationLevel.READ_COMMITTED,
                    **asked,
                )
                found[name] = {p.partition: answer(said).offset for p, said in answers.items()}
            promised: int | None = None
            if kept:
                resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
                asks = client.describe_configs([resource], **asked)
                promised = _kept(answer(asks[resource]))
        if str(described.topic_id) == _NO_ID:
            raise InputError(
                "the cluster gives topics no ids: one that is made anew could not be told apart",
                where=where,
                expected="Kafka 2.8 or later, with its own protocol",
                next_step="have the cluster upgraded; nothing was committed",
            )
        return TopicState(
            id=str(described.topic_id),
            partitions={
                part: Partition(first, found["end"][part])
                for part, first in sorted(found["first"].items())
            },
            kept_milliseconds=promised,
        )

    def spark_options(self, password: Password | None) -> dict[str, str]:
        """Options of Spark's reader but for what is read.

        The password is among them: they are for the reader, and for nothing that is shown.
        """
        options = {
            "kafka.bootstrap.servers": self.bootstrap_servers,
            "kafka.security.protocol": self.security_protocol,
            # what a producer took back is no record
            "kafka.isolation.level": "read_committed",
            "failOnDataLoss": "true",
            "kafkaConsumer.pollTimeoutMs": str(self.timeout_seconds * 1000),
            "kafka.default.api.timeout.ms": str(self.timeout_seconds * 1000),
            # which no request may take longer than
            "kafka.request.timeout.ms": str(min(_ANSWER_SECONDS, self.timeout_seconds) * 1000),
        }
        if self.user is not None:
            secret = password.reveal() if password else ""
            options |= {
                "kafka.sasl.mechanism": self.sasl_mechanism,
                "kafka.sasl.jaas.config": f"{_JAAS[self.sasl_mechanism]} required "
                f"username={_quoted(self.user)} password={_quoted(secret)};",
            }
        if self.ssl_ca is not None:
            options |= {
                "kafka.ssl.truststore.type": "PEM",
                "kafka.ssl.truststore.location": self.ssl_ca,
            }
        return options

    def _client(self, password: Password | None, problems: list[Any]) -> dict[str, Any]:
        """Librdkafka's configuration. What it finds wrong with a connection goes to `problems`."""
        options: dict[str, Any] = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
            "socket.timeout.ms": min(_ANSWER_SECONDS, self.timeout_seconds) * 1000,
            "client.id": "penstock",
            "error_cb": problems.append,
            "logger": logger,
            # what it finds wrong is told as an error, and not a line for each try
            "log_level": 0,
        }
        if self.user is not None:
            options |= {
                "sasl.mechanism": self.sasl_mechanism,
                "sasl.username": self.user,
                "sasl.password": password.reveal() if password else "",
            }
        if self.ssl_ca is not None:
            options["ssl.ca.location"] = self.ssl_ca
        return options

    @contextmanager
    def _told(self, where: str, problems: list[Any], kind: type[Exception]) -> Iterator[None]:
        """Raise the client's errors as ours."""
        try:
            yield
        except kind as error:
            said = [e for e in (*error.args, *_of_all(problems)) if hasattr(e, "name")]
            names = [e.name() for e in said]
            if refused := next((_REFUSED[name] for name in names if name in _REFUSED), None):
                raise InputError(
                    refused,
                    where=where,
                    found=", ".join(dict.fromkeys(names)),
                    next_step="correct the resource, the topic's name, the password in the "
                    "secrets, or what the user is granted; nothing was committed",
                ) from None
            raise SourceError(
                "no broker of the Kafka cluster answers",
                where=where,
                found=", ".join(dict.fromkeys(names)) or type(error).__name__,
                next_step="see that it is up and takes connections from here, then run again: "
                "nothing was committed",
            ) from None


def _kept(config: Mapping[str, Any]) -> int:
    """For how many milliseconds a topic keeps a record that has a successor; 0: nobody knows."""
    policy, lag = (
        entry.value if (entry := config.get(name)) else None
        for name in ("cleanup.policy", "min.compaction.lag.ms")
    )
    return sys.maxsize if policy == "delete" else int(lag or 0)


def _of_all(problems: list[Any]) -> list[Any]:
    """What is refused on every connection: one broker that begins anew may refuse too."""
    if all(problem.name() != "_ALL_BROKERS_DOWN" for problem in problems):
        return []
    return [problem for problem in problems if problem.name() in _REFUSED]


def _quoted(text: str) -> str:
    """A text in a line of JAAS."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
