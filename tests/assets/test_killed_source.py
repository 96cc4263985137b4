"""A run of each kind of source that the system kills, while the source goes on: nothing is lost.

Of landing, tables and changes this is shown at every step in `test_exactly_once`.
"""

from __future__ import annotations

import signal
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from penstock.resources.kafka import Kafka
from penstock.resources.ports import LOOPBACK
from penstock.resources.postgres import Postgres
from tests.assets.killed_source import PASSWORD, dataset_of, die_after, shop_of
from tests.forked import forked, jvm_of
from tests.kafka_server import READER, kafka_server
from tests.packed import pack
from tests.patience import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

    from tests.ledger.postgres import PostgresServer

pytestmark = pytest.mark.slow(seconds=60)

Row = tuple[int, int | None]


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where it is, how it is reached, how rows are sent to it, and whether it is at rest."""

    place: str
    send: Callable[..., None]
    sources: dict[str, Callable[[], Any]] = field(default_factory=dict)
    at_rest: Callable[[], bool] = lambda: True


@pytest.fixture
def query_source(postgres: PostgresServer) -> Iterator[Source]:
    name, role = postgres.database(), "killed_reader"
    quoted = PASSWORD.replace("'", "''")
    postgres.execute(
        f"CREATE ROLE {role} LOGIN PASSWORD '{quoted}'",
        "CREATE TABLE orders (id bigint, price bigint, seq bigserial)",
        f"GRANT SELECT ON orders TO {role}",
        database=name,
    )

    def send(*rows: Row) -> None:
        with closing(postgres.connect(name)) as owner:
            owner.cursor().executemany("INSERT INTO orders (id, price) VALUES (%s, %s)", rows)

    def at_rest() -> bool:
        with closing(postgres.connect(name)) as owner:
            found = owner.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = %s", [role]
            )
            return found.fetchone() == (0,)

    made = partial(Postgres, host=LOOPBACK, port=postgres.port, database=name, user=role)
    yield Source(place="public.orders", send=send, sources={"source": made}, at_rest=at_rest)
    postgres.drop(name)
    postgres.execute(f"DROP ROLE {role}")


@pytest.fixture
def topic_source() -> Iterator[Source]:
    with kafka_server(PASSWORD) as server:
        server.make("orders")

        def send(*rows: Row) -> None:
            server.send("orders", *({"id": id_, "price": price} for id_, price in rows))

        made = partial(
            Kafka,
            bootstrap_servers=f"{LOOPBACK}:{server.port}",
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="PLAIN",
            user=READER,
        )
        yield Source(place="orders", send=send, sources={"source": made})


@pytest.fixture
def external_source(tmp_path: Path) -> Source:
    place = str(tmp_path / "others" / "orders")
    kinds = pa.schema({"id": pa.int64(), "price": pa.int64()})

    def send(*rows: Row) -> None:
        sent = [{"id": id_, "price": price} for id_, price in rows]
        write_deltalake(place, pa.Table.from_pylist(sent, kinds), mode="append")

    return Source(place=place, send=send)


@pytest.fixture
def archive_source(tmp_path: Path) -> Source:
    landed = tmp_path / "one" / "landing" / "orders"

    def send(*rows: Row) -> None:
        landed.mkdir(parents=True, exist_ok=True)
        lines = "".join(f"{id_},{'' if price is None else price}\n" for id_, price in rows)
        file = landed / f"{len([*landed.iterdir()])}.zip"
        file.write_bytes(pack(".zip", f"id,price\n{lines}".encode()))

    return Source(place="orders/*.zip", send=send)


@pytest.mark.parametrize("kind", ["query", "topic", "external", "archive"])
def test_what_came_before_and_after_a_kill_is_taken_once(
    spark: SparkSession, tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    source: Source = request.getfixturevalue(f"{kind}_source")
    folder = tmp_path / "one"
    shop, spec = shop_of(spark, folder, source.sources), dataset_of(kind, source.place)
    source.send((1, 1), (2, 2))
    shop.run(spec)
    sent = 2
    for step in ("resolved", "analyzed", "quarantined", "committing", "committed"):
        source.send((sent + 1, sent), (sent + 2, -1))
        sent += 2
        before = shop.version(spec)
        output = folder / "killed.log"
        given = (step, kind, source.place, folder, jvm_of(spark), source.sources)
        with forked(output, die_after, *given) as process:
            assert process.wait() == -signal.SIGKILL, output.read_text()
        assert (shop.version(spec) == before) is (step != "committed")
    until(source.at_rest, "the killed run's transactions are ended")
    source.send((100, None))
    shop.run(spec)
    rows = {row.id: row.price for row in shop.table(spec).collect()}
    assert rows == {1: 1, 2: 2, **{n + 1: n for n in range(2, sent, 2)}}
    bad = sorted(row.row for row in shop.quarantine(spec).collect())
    # a table is read whole by each run, what else comes is taken once
    assert len({*bad}) == sent // 2 == (6 if kind == "external" else len(bad))
    assert shop.runtime.ledger.open_runs() == ()
    assert not shop.run(spec).committed
