"""Records of a Kafka topic: each once, whatever happens, or an error, or set aside."""

from __future__ import annotations

import json
import logging
import random
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal as Exact
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from pyspark.sql.connect.session import SparkSession as ConnectSession

from penstock import (
    Append,
    Contract,
    Deployment,
    Merge,
    Scd2,
    Slice,
    column,
    dataset,
    debezium,
    envelope,
    topic,
)
from penstock.assets.inputs.kind import Held
from penstock.assets.resolve import resolve
from penstock.errors import DefinitionError, InputError, SecretError, SourceError
from penstock.resources.ledger import LedgerResource
from penstock.resources.local import LocalCluster
from penstock.resources.ports import LOOPBACK, free_port
from penstock.resources.secrets import FileSecrets, SecretsResource
from penstock.resources.settings import Profile
from tests.assets.events import ALL, Events, Said, Sold, put_password, same
from tests.assets.shop import Shop
from tests.kafka_server import PASSWORD
from tests.patience import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame

    from penstock import Dataset

pytestmark = pytest.mark.slow(seconds=90)


class Placed(Contract, name="bronze.placed", version="1.0.0", owner="team:shop"):
    """One thing that was said, and where it stands."""

    id: int = column()
    name: str = column(nullable=True)
    part: int = column()
    place: int = column()
    at: datetime = column()


class Version(Contract, name="silver.versions", version="1.0.0", owner="team:shop"):
    """One state of an order."""

    id: int = column(key=True)
    item: str = column(nullable=True)
    valid_from: datetime = column()
    valid_to: datetime = column(nullable=True)
    is_current: bool = column()


def test_each_record_is_taken_once(events: Events) -> None:
    spec = events.said()
    events.server.widen(events.name, 2)
    nothing = events.shop.run(spec)
    assert (nothing.committed, nothing.rows_in) == (True, 0)
    assert not events.shop.run(spec).committed
    events.send({"id": 1, "item": "a"}, {"id": 2})
    events.send({"id": 1, "item": "a"}, partition=1)
    outcome = events.shop.run(spec)
    said = outcome.inputs["raw"]
    assert (said["after"], said["up_to"]) == ({"0": 0, "1": 0}, {"0": 2, "1": 1})
    assert (said["namespace"], said["name"]) == (
        f"kafka://{LOOPBACK}:{events.server.port}",
        events.name,
    )
    assert not events.shop.run(spec).committed
    events.send({"id": 3})
    events.server.widen(events.name, 3)
    events.send({"id": 4}, partition=2)
    assert events.shop.run(spec).inputs["raw"]["after"] == {"0": 2, "1": 1, "2": 0}
    assert events.ids(spec) == [1, 1, 2, 3, 4]


def test_only_what_is_committed_is_a_record(events: Events) -> None:
    spec = events.said()
    producer = events.server.producer(**{"transactional.id": events.name})
    producer.init_transactions()
    for number, end in enumerate((producer.abort_transaction, producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(events.name, json.dumps({"id": number}), partition=0)
        producer.flush()
        events.shop.run(spec)
        assert events.ids(spec) == []
        end()
    events.send({"id": 7})

    def taken() -> list[int]:
        events.shop.run(spec)
        assert events.ids(spec) in ([], [1], [1, 7])
        return events.ids(spec)

    # a broker takes note of a transaction's end a little later
    until(lambda: taken() == [1, 7], "both are taken")
    assert not events.shop.run(spec).committed


def test_a_record_that_is_none_is_set_aside_with_its_place(events: Events) -> None:
    events.send(
        {"id": 1, "item": "good", "price": 1.50, "day": "2013-01-05"},
        b"",
        b"{",
        b"[1]",
        b'{"id": 2} {"id": 3}',
        {"id": 4, "colour": "red"},
        {"id": "x", "price": 1.005},
        b'{"id": 5, "item": "\xff"}',
        None,
        {"id": None},
        {"id": 6, "price": -1},
        b'{"id": 8, "id": 9}',
    )
    spec = events.sold()
    outcome = events.shop.run(spec)
    assert (outcome.rows_in, outcome.rows_changed) == (12, 1)
    rows = [tuple(row) for row in events.shop.table(spec).collect()]
    assert rows == [(1, "good", Exact("1.50"), date(2013, 1, 5))]
    found = {row.file: row for row in events.shop.quarantine(spec).collect()}
    place = f"events/{events.name} 0:"
    assert {file.removeprefix(place): row.reasons for file, row in found.items() if file} == {
        "1": ["json:malformed"],
        "2": ["json:malformed"],
        "3": ["json:malformed"],
        "4": ["json:malformed"],
        "5": ["json:extra"],
        "6": ["id:type", "price:type"],
        "7": ["json:encoding"],
        "8": ["topic:tombstone"],
        "11": ["json:repeated"],
    }
    assert json.loads(found[f"{place}5"].row) == {"line": '{"id": 4, "colour": "red"}'}
    # what breaks the contract's own rules is a row by then
    others = sorted(
        "+".join(row.reasons)
        for row in events.shop.quarantine(spec).where("file IS NULL").collect()
    )
    assert others == ["id:not_null", "price:ge"]
    assert sum(outcome.quarantined_by_rule.values()) == 12


def test_the_newest_record_of_a_key_counts_where_somebody_knows_it(events: Events) -> None:
    events.server.widen(events.name, 2)
    spec = events.sold()
    events.send({"id": 1, "item": "old"}, {"id": 2, "item": "b"}, {"id": 1, "item": "new"})
    events.send({"id": 3, "item": "c"}, {"id": 3, "item": "d"}, partition=1)
    events.send({"id": 2, "item": "other"}, partition=1)
    events.shop.run(spec)
    rows = events.shop.table(spec).select("id", "item").orderBy("id").collect()
    assert [tuple(row) for row in rows] == [(1, "new"), (3, "d")]
    assert events.shop.reasons(spec) == ["key:unique"] * 2
    events.send({"id": 2, "item": "at last"})
    events.shop.run(spec)
    assert events.ids(spec) == [1, 2, 3]

    name = f"{events.name}.versions"
    events.server.make(name)
    known = Events(events.shop, events.server, name)
    history = dataset(
        Version,
        inputs={"raw": known.topic(derived=["valid_to", "is_current"], names={"at": "valid_from"})},
        write=Scd2(),
    )(same)
    known.send(
        {"id": 1, "item": "a", "at": "2013-01-05T00:00:00Z"},
        {"id": 1, "item": "b", "at": "2013-01-06T00:00:00Z"},
        {"id": 1, "item": "c", "at": "2013-01-06T00:00:00Z"},
    )
    known.shop.run(history)
    states = known.shop.table(history).orderBy("valid_from").select("item", "is_current").collect()
    assert [tuple(row) for row in states] == [("a", False), ("c", True)]


def test_a_record_says_where_it_stands(events: Events) -> None:
    columns = {"name": "key", "part": "partition", "place": "offset", "at": "timestamp"}
    spec = dataset(
        Placed, inputs={"raw": events.topic(record_columns=columns)}, write=Append(), **ALL
    )(same)
    before = datetime.now(UTC)
    events.send({"id": 1}, key="größe")
    events.send({"id": 2})
    producer = events.server.producer()
    producer.produce(events.name, b'{"id": 3}', b"\xff", 0)
    producer.flush()
    events.shop.run(spec)
    rows = events.shop.table(spec).orderBy("id").collect()
    assert [tuple(row)[:4] for row in rows] == [(1, "größe", 0, 0), (2, None, 0, 1)]
    assert all(abs(row["at"].replace(tzinfo=UTC) - before).total_seconds() < 3600 for row in rows)
    assert events.shop.reasons(spec) == ["topic:key"]


def test_records_that_were_deleted_before_they_were_taken_are_named(events: Events) -> None:
    spec = events.said()
    events.send({"id": 1}, {"id": 2})
    events.server.forget(events.name, {0: 1})
    events.shop.run(spec)  # what was gone before the first run nobody was promised
    assert events.ids(spec) == [2]
    events.send({"id": 3}, {"id": 4}, {"id": 5})
    events.server.forget(events.name, {0: 4})
    with pytest.raises(InputError, match=r"lost are the offsets of partition 0: 2 to 3") as told:
        events.shop.run(spec)
    assert "given_up={0: 4}" in str(told.value)
    assert events.ids(spec) == [2]
    with pytest.raises(InputError, match="lost are"):
        events.shop.run(events.said(given_up={0: 3}))
    mended = events.said(given_up={0: 4})
    events.shop.run(mended)
    assert events.ids(spec) == [2, 5]
    # what is there is taken, whatever is given up
    events.send({"id": 8})
    far = events.said(given_up={0: 99})
    events.shop.run(far)
    assert events.ids(spec) == [2, 5, 8]
    events.server.widen(events.name, 2)
    events.send({"id": 6}, {"id": 7}, partition=1)
    events.server.forget(events.name, {1: 1})
    with pytest.raises(InputError, match=r"partition 1: 0 to 0"):
        events.shop.run(mended)


def test_records_that_are_deleted_while_they_are_read_fail_the_run(events: Events) -> None:
    spec = events.said()
    events.send({"id": 1}, {"id": 2}, {"id": 3})

    def forget(step: str) -> None:
        if step == "analyzed":
            events.server.forget(events.name, {0: 2})

    with pytest.raises(SourceError, match=r"could not be fetched"):
        events.shop.run(spec, on_step=forget)
    assert events.shop.version(spec) is None
    events.shop.run(spec)
    assert events.ids(spec) == [3]


def test_a_topic_made_anew_is_another_one(events: Events) -> None:
    spec = events.said()
    events.send({"id": 1}, {"id": 2})

    def anew(step: str) -> None:
        if step == "resolved":
            events.server.drop(events.name)
            events.server.make(events.name)
            events.send({"id": 8}, {"id": 9})

    with pytest.raises(InputError, match="made anew while it was being read"):
        events.shop.run(spec, on_step=anew)
    events.shop.run(spec)
    assert events.ids(spec) == [8, 9]
    anew("resolved")
    with pytest.raises(InputError, match="was made anew since it was last read"):
        events.shop.run(spec)
    # under another name all of it would be added to what is there
    other = dataset(Said, inputs={"other": events.topic()}, write=Append())(lambda other: other)
    with pytest.raises(InputError, match="would be added again"):
        events.shop.run(other)


def test_a_resource_of_another_name_takes_nothing_twice(events: Events) -> None:
    events.send({"id": 1})
    events.shop.run(events.said())
    renamed = dataset(Said, inputs={"raw": topic(events.name, broker="other")}, write=Append())
    secrets = events.shop.runtime.secrets
    assert isinstance(secrets, FileSecrets)
    (secrets.folder / "events.password").rename(secrets.folder / "other.password")
    runtime = replace(events.shop.runtime, sources={"other": events.kafka()})
    shop = Shop(spark=events.shop.spark, runtime=runtime, path=events.shop.path)
    with pytest.raises(InputError, match="would be added again"):
        shop.run(renamed(same))
    fresh = dataset(Sold, inputs={"raw": topic(events.name, broker="other")}, write=Merge())
    assert shop.run(fresh(same)).rows_changed == 1


class Killed(BaseException):
    """Stands for a signal."""


def killing(number: int) -> Callable[[str], None]:
    left = [number]

    def on_step(_: str) -> None:
        if not left[0]:
            raise Killed
        left[0] -= 1

    return on_step


@pytest.mark.parametrize("mode", ["append", "merge"])
def test_any_records_in_any_cut_into_runs_with_kills_end_in_the_same_table(
    events: Events, mode: str
) -> None:
    spec = events.said() if mode == "append" else events.sold()
    events.server.widen(events.name, 3)
    order = random.Random(mode)
    sent: list[tuple[int, str]] = []
    killed = 0
    for number in range(14):
        for _ in range(order.randint(0, 3)):
            key = order.randrange(6)
            events.send({"id": key, "item": f"{len(sent)}"}, partition=key % 3)
            sent.append((key, f"{len(sent)}"))
        try:
            events.shop.run(spec, on_step=killing(number % 9))
        except Killed:
            killed += 1
    events.shop.run(spec)
    assert killed > 3
    rows = [(row.id, row["item"]) for row in events.shop.table(spec).collect()]
    assert sorted(rows) == sorted(sent if mode == "append" else dict(sent).items())
    assert not events.shop.run(spec).committed
    assert events.shop.reasons(spec) == []


def test_changes_of_a_database_are_applied_in_their_order(events: Events) -> None:
    events.server.widen(events.name, 2)
    read = events.topic(envelope=debezium(deleted="gone"))
    spec = dataset(Sold, inputs={"raw": read}, write=Merge(deletes="gone"))(same)
    order, there, before = random.Random(7), dict[int, str](), {"price": None, "day": None}
    for number in range(32):
        key = order.randrange(5)
        place: dict[str, Any] = {"key": f"{key}", "partition": key % 2}
        if key in there and order.random() < 0.4:
            del there[key]
            events.send({"op": "d", "before": {"id": key, "item": None, **before}}, **place)
            events.send(None, **place)  # the tombstone, by which Kafka forgets the key
        else:
            there[key] = f"item {number}"
            after = {"id": key, "item": there[key], **before}
            events.send({"payload": {"op": "c", "after": after}, "schema": {}}, **place)
        if number % 8 == 7:
            events.shop.run(spec)
            rows = events.shop.table(spec).collect()
            assert {row.id: row["item"] for row in rows} == there
    assert events.shop.reasons(spec) == []


def test_a_tombstone_where_no_event_deletes_is_no_record(events: Events) -> None:
    read = events.topic(envelope=envelope(operation="op", writes=["I"], deletes=[]))
    spec = dataset(Sold, inputs={"raw": read}, write=Append(), **ALL)(same)
    events.send({"op": "I", "after": {"id": 1, "item": "ink", "price": None, "day": None}}, key="1")
    events.send(None, key="1")
    events.shop.run(spec)
    assert [row.id for row in events.shop.table(spec).collect()] == [1]
    assert events.shop.reasons(spec) == ["topic:tombstone"]


def test_deletions_are_not_taken_of_a_topic_that_forgets_them(events: Events) -> None:
    name = f"{events.name}.compacted"
    lag = {"cleanup.policy": "compact", "min.compaction.lag.ms": "86400000"}
    events.server.make(name, 1, **{"cleanup.policy": "compact"})
    events.server.make(f"{name}.kept", 1, **lag)

    def spec(topic_name: str) -> Dataset:
        read = topic(topic_name, broker="events", envelope=debezium(deleted="gone"))
        return dataset(Sold, inputs={"raw": read}, write=Merge(deletes="gone"))(same)

    with pytest.raises(InputError, match=r"is compacted[\s\S]*min.compaction.lag.ms"):
        events.shop.run(spec(name))
    assert events.shop.run(spec(f"{name}.kept")).committed


def test_what_the_cluster_refuses_is_told(events: Events) -> None:
    spec = dataset(Said, inputs={"raw": topic("nowhere", broker="events")}, write=Append())(same)
    with pytest.raises(InputError, match=r"topic nowhere: there is no such topic"):
        events.shop.run(spec)
    spec = events.said()
    nobody = f"{LOOPBACK}:{free_port()}"
    with pytest.raises(SourceError, match=r"no broker of the Kafka cluster answers"):
        events.reading(bootstrap_servers=nobody, timeout_seconds=2).run(spec)
    with pytest.raises(InputError, match="does not take what the resource says"):
        events.reading(security_protocol="SASL_SSL", ssl_ca="/nowhere.pem").run(spec)
    secrets = events.shop.runtime.secrets
    assert isinstance(secrets, FileSecrets)
    put_password(secrets, "wrong")
    with pytest.raises(InputError, match="refuses the user or the password"):
        events.reading().run(spec)
    none = Shop(
        spark=events.shop.spark,
        runtime=replace(events.shop.runtime, secrets=None),
        path=events.shop.path,
    )
    with pytest.raises(SecretError, match="no secrets resource"):
        none.run(spec)
    put_password(secrets, PASSWORD)
    assert events.shop.run(spec).committed


def test_the_password_is_in_nothing_that_is_told_or_kept(
    events: Events, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    events.send({"id": 1}, b"{")
    seen: list[str] = []

    @dataset(Said, inputs={"raw": events.topic()}, write=Append(), **ALL)
    def looked_at(raw: DataFrame) -> DataFrame:
        plan = raw._jdf.queryExecution()
        seen.extend((plan.toString(), plan.analyzed().toJSON()))
        return raw

    events.shop.run(looked_at)
    log = events.shop.runtime.lake.table("bronze.said").read()
    assert log
    texts = [*seen, events.shop.everything_told(), *capfd.readouterr(), caplog.text]
    texts += [repr(commit) for commit in log.commits()]
    texts += [repr(events.shop.runtime), repr(looked_at)]
    for file in events.shop.path.rglob("*"):
        if file.is_file() and file.suffix != ".password":
            texts.append(file.read_bytes().decode(errors="replace"))
    assert "kafka" in seen[0].lower()
    for text in texts:
        assert "sesame" not in text


def test_lineage_and_dagster_know_the_topic(events: Events) -> None:
    events.send({"id": 1, "what": "a"})
    spec = events.said(names={"what": "item"})
    resources: dict[str, Any] = {
        "lake": events.shop.runtime.lake,
        "ledger": LedgerResource(url=f"sqlite:///{events.shop.path}/ledger.db"),
        "cluster": LocalCluster(name="cluster", profile=Profile.SMALL, cores=2),
        "secrets": SecretsResource(folder=str(events.shop.path / "secrets")),
        "events": events.kafka(),
    }
    found = Deployment(datasets=(spec,), resources=resources).definitions(automation=None)
    (source,) = [a for a in found.assets or () if isinstance(a, dg.AssetSpec)]
    assert source.key == dg.AssetKey(["events", events.name])
    assert found.get_implicit_global_asset_job_def().execute_in_process().success
    (event,) = [
        e.payload
        for e in events.shop.runtime.ledger.events()
        if e.payload["eventType"] == "COMPLETE"
    ]
    (read,) = event["inputs"]
    assert read["namespace"] == f"kafka://{LOOPBACK}:{events.server.port}"
    assert read["name"] == events.name
    (field,) = event["outputs"][0]["facets"]["columnLineage"]["fields"]["item"]["inputFields"]
    assert (field["name"], field["field"]) == (events.name, "what")
    resources["events"] = resources["lake"]
    with pytest.raises(DefinitionError, match="events, which is read from, is no Kafka"):
        Deployment(datasets=(spec,), resources=resources)


def test_a_password_is_not_sent_over_connect(events: Events) -> None:
    events.send({"id": 1})
    spec = events.said()
    with Held() as held:
        (item,) = resolve(spec, Slice(), events.shop.runtime, held, events.shop.spark).inputs
    over_connect: Any = object.__new__(ConnectSession)
    with pytest.raises(InputError, match="not read over Spark Connect"):
        item.read(over_connect, spec.arriving, strict=True)
