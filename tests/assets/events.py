"""A topic of a shop's own, on one broker for all tests of a process."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from penstock import Append, Contract, Decimal, Merge, Quarantine, column, dataset, topic
from penstock.resources.kafka import Kafka
from penstock.resources.ports import LOOPBACK
from penstock.resources.secrets import FileSecrets
from tests.assets.shop import Shop
from tests.kafka_server import PASSWORD, READER, KafkaServer, kafka_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from penstock import Dataset

__all__ = ["ALL", "Events", "Said", "Sold", "put_password", "same"]

NUMBERS = itertools.count(1)


class Sold(Contract, name="bronze.sold", version="1.0.0", owner="team:shop"):
    """One order as it is now."""

    id: int = column(key=True)
    item: str = column(nullable=True)
    price: Decimal(10, 2) = column(nullable=True, ge=0)
    day: date = column(nullable=True)


class Said(Contract, name="bronze.said", version="1.0.0", owner="team:shop"):
    """One thing that was said of an order, as often as it was."""

    id: int = column()
    item: str = column(nullable=True)


def same(raw: DataFrame) -> DataFrame:
    return raw


class Events:
    """A shop, a topic of its own, and what is sent to it."""

    def __init__(self, shop: Shop, server: KafkaServer, name: str) -> None:
        self.shop = shop
        self.server = server
        self.name = name

    def kafka(self, **otherwise: Any) -> Kafka:
        here: dict[str, Any] = {
            "bootstrap_servers": f"{LOOPBACK}:{self.server.port}",
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "PLAIN",
            "user": READER,
        }
        return Kafka(**(here | otherwise))

    def reading(self, **otherwise: Any) -> Shop:
        """The shop, whose runtime has the cluster otherwise."""
        runtime = replace(self.shop.runtime, sources={"events": self.kafka(**otherwise)})
        return Shop(spark=self.shop.spark, runtime=runtime, path=self.shop.path)

    def topic(self, **how: Any) -> Any:
        return topic(self.name, broker="events", **how)

    def said(self, **how: Any) -> Dataset:
        """A dataset of all that is sent."""
        return dataset(Said, inputs={"raw": self.topic(**how)}, write=Append())(same)

    def sold(self, **how: Any) -> Dataset:
        """A dataset of what each key is now."""
        return dataset(Sold, inputs={"raw": self.topic(**how)}, write=Merge(), **ALL)(same)

    def send(self, *values: object, **how: Any) -> None:
        self.server.send(self.name, *values, **how)

    def ids(self, spec: Dataset) -> list[int]:
        return sorted(row.id for row in self.shop.table(spec).collect())


ALL: dict[str, Any] = {"bad_rows": Quarantine(max_fraction=None)}


@pytest.fixture(scope="session")
def broker() -> Iterator[KafkaServer]:
    with kafka_server() as found:
        yield found


@pytest.fixture
def events(spark: SparkSession, tmp_path: Path, broker: KafkaServer) -> Events:
    name = f"orders.{next(NUMBERS)}"
    broker.make(name)
    secrets = FileSecrets(tmp_path / "secrets")
    secrets.key("any")  # makes the folder
    put_password(secrets, PASSWORD)
    found = Events(Shop.at(spark, tmp_path), broker, name)
    runtime = replace(found.shop.runtime, secrets=secrets, sources={"events": found.kafka()})
    found.shop = Shop(spark=spark, runtime=runtime, path=tmp_path)
    return found


def put_password(secrets: FileSecrets, text: str) -> None:
    file = secrets.folder / "events.password"
    file.touch(mode=0o600)
    file.write_text(f"{text}\n")
