"""What topic(...) refuses before any broker is asked."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from penstock import (
    Append,
    Contract,
    Daily,
    Deployment,
    Merge,
    Overwrite,
    column,
    dataset,
    query,
    topic,
)
from penstock.assets.agreement import check_together
from penstock.errors import DefinitionError
from penstock.resources.kafka import Kafka
from penstock.testing import run_body

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class Order(Contract, name="bronze.sold", version="1.0.0", owner="team:shop"):
    """One order."""

    id: int = column(key=True)
    day: date = column()
    sent: datetime = column(nullable=True)


class Other(Contract, name="bronze.other", version="1.0.0", owner="team:shop"):
    """Another one."""

    id: int = column(key=True)


class Named(Contract, name="events.sold", version="1.0.0", owner="team:shop"):
    """One that is called as a topic is."""

    id: int = column(key=True)


def _same(raw: DataFrame) -> DataFrame:
    return raw


@pytest.mark.parametrize(
    ("name", "said", "told"),
    [
        ("orders and more", {}, "not the name of a topic"),
        ("", {}, "not the name of a topic"),
        ("..", {}, "not the name of a topic"),
        ("o" * 250, {}, "not the name of a topic"),
        (None, {}, "not the name of a topic"),
        ("orders", {"broker": "landing"}, "not the name of a Kafka resource"),
        ("orders", {"broker": "My Kafka"}, "not the name of a Kafka resource"),
        ("orders", {"record_columns": {"sent": "time"}}, "says no such thing of itself"),
        ("orders", {"given_up": {0: -1}}, "given_up says no offset"),
        ("orders", {"given_up": {"0": 1}}, "given_up says no offset"),
        ("orders", {"time_zone": "Berlin"}, "zone"),
    ],
)
def test_what_says_nothing_is_refused(name: Any, said: dict[str, Any], told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        topic(name, **({"broker": "events"} | said))


@pytest.mark.parametrize(
    ("said", "how", "told"),
    [
        ({}, {"write": Overwrite()}, "gives what is new, which would replace"),
        ({}, {"partitions": Daily(column="day", start=date(2013, 1, 1))}, "gives what is new"),
        ({}, {"write": Merge(missing="delete")}, "says nothing of what is missing"),
        ({"derived": ["other"]}, {}, r"names a column that the contract has not[\s\S]*other"),
        ({"names": {"orderId": "order_id"}}, {}, "names a column that the contract has not"),
        ({"names": {"a": "day"}, "derived": ["day"]}, {}, r"two things of a column[\s\S]*day"),
        ({"names": {"day": "sent"}}, {}, r"to two columns[\s\S]*day, which is also sent as sent"),
        ({"record_columns": {"day": "timestamp"}}, {}, r"hold the timestamp[\s\S]*date"),
        ({"record_columns": {"sent": "offset"}}, {}, "hold the offset of a record"),
    ],
)
def test_it_fits_the_dataset_that_reads_it(
    said: dict[str, Any], how: dict[str, Any], told: str
) -> None:
    with pytest.raises(DefinitionError, match=told):
        dataset(
            Order,
            inputs={"raw": topic("orders", broker="events", **said)},
            **({"write": Append()} | how),
        )(_same)


def test_the_cluster_is_a_resource_of_its_kind() -> None:
    spec = dataset(Order, inputs={"raw": topic("orders", broker="events")}, write=Append())(_same)
    assert spec.sources == ("events",)
    with pytest.raises(DefinitionError, match="no resource events"):
        Deployment(datasets=(spec,), resources={})
    with pytest.raises(DefinitionError, match="events, which is read from, is no Kafka"):
        Deployment(datasets=(spec,), resources={"events": object()})


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"user": "penstock"}, "a protocol that does not ask for one"),
        ({"user": "penstock", "security_protocol": "SSL"}, "a protocol that does not ask"),
        ({"security_protocol": "SASL_SSL"}, "asks for a user, and none is told"),
    ],
)
def test_a_user_is_asked_for_or_there_is_none(how: dict[str, Any], told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        Kafka(bootstrap_servers="a:1", **how)


def test_one_resource_is_of_one_kind() -> None:
    read = query("public.orders", database="events")
    rows = dataset(Order, inputs={"raw": read})(_same)
    said = dataset(Other, inputs={"raw": topic("orders", broker="events")}, write=Append())(_same)
    kafka = Kafka(bootstrap_servers="a:1")
    with pytest.raises(DefinitionError, match="events, which is read from, is no Postgres"):
        Deployment(datasets=(rows, said), resources={"events": kafka})


def test_a_topic_and_a_dataset_have_names_of_their_own() -> None:
    with pytest.raises(
        DefinitionError, match=r"events.sold, events/sold: two datasets have one name in Dagster"
    ):
        check_together(
            [dataset(Named, inputs={"raw": topic("sold", broker="events")}, write=Append())(_same)],
            (),
        )


def test_rows_of_a_body_are_what_records_hold(spark: SparkSession) -> None:
    columns = {"sent": "timestamp"}
    raw = topic("orders", broker="events", derived=["day"], record_columns=columns)

    @dataset(Order, inputs={"raw": raw}, write=Append())
    def orders(raw: DataFrame) -> DataFrame:
        return raw.selectExpr("id", "CAST(sent AS date) AS day", "sent")

    made = run_body(orders, spark, raw="id | sent\n1 | 2013-01-05T10:00:00Z")
    assert [(row.id, row.day) for row in made.collect()] == [(1, date(2013, 1, 5))]


def test_the_password_is_quoted_as_jaas_reads_it() -> None:
    from penstock.resources.secrets import Password

    kafka = Kafka(bootstrap_servers="a:1, b:2", security_protocol="SASL_SSL", user='o"hara')
    options = kafka.spark_options(Password("events", 'a\\b"c;'))
    assert kafka.namespace == "kafka://a:1"
    assert options["kafka.sasl.jaas.config"] == (
        "org.apache.kafka.common.security.scram.ScramLoginModule required "
        r'username="o\"hara" password="a\\b\"c;";'
    )
    # no request of the client's may take longer than all of them together
    short = Kafka(bootstrap_servers="a:1", timeout_seconds=5).spark_options(None)
    assert short["kafka.request.timeout.ms"] == short["kafka.default.api.timeout.ms"] == "5000"
    assert Kafka(bootstrap_servers="a:1").spark_options(None)["kafka.security.protocol"] == (
        "PLAINTEXT"
    )
