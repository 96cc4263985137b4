"""Change events of files and topics: the table is what applying them in order gives."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from penstock import (
    Append,
    Contract,
    JsonLines,
    Merge,
    Overwrite,
    Quarantine,
    Scd2,
    column,
    dataset,
    debezium,
    envelope,
    landing,
    topic,
)
from penstock.assets.landing.cell import Dates, value_sql, wrong_sql
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from penstock import Dataset
    from tests.assets.shop import Shop

pytestmark = pytest.mark.slow(seconds=40)

BEGIN = datetime(2013, 1, 5, tzinfo=UTC)


class Order(Contract, name="bronze.sold", version="1.0.0", owner="team:shop"):
    """One order as it is now."""

    id: int = column(key=True)
    item: str = column(nullable=False)
    lsn: int = column()


class Marked(Contract, name="bronze.marked", version="1.0.0", owner="team:shop"):
    """One order as it is now, or was when it was deleted."""

    id: int = column(key=True)
    item: str = column(nullable=True)
    lsn: int = column()
    gone: bool = column()


class Version(Contract, name="silver.versions", version="1.0.0", owner="team:shop"):
    """One state of an order."""

    id: int = column(key=True)
    item: str = column(nullable=True)
    changed_at: datetime = column()
    until: datetime = column(nullable=True)
    is_current: bool = column()


class Said(Contract, name="bronze.said", version="1.0.0", owner="team:shop"):
    """One event, as it was said."""

    id: int = column()
    item: str = column(nullable=True)
    op: str = column()


def same(raw: DataFrame) -> DataFrame:
    return raw


FILES = "orders/*.jsonl"
LSN = {"lsn": "source.lsn"}
AT = {"changed_at": "source.ts_ms"}
MILLIS = {"changed_at": "epoch_millis"}
ALL: dict[str, Any] = {"bad_rows": Quarantine(max_fraction=None)}


def read(pattern: str = FILES, **how: Any) -> Any:
    return landing(pattern, format=JsonLines(), **how)


removed = dataset(
    Order,
    inputs={"raw": read(envelope=debezium(deleted="gone", columns=LSN))},
    write=Merge(deletes="gone", order_by="lsn"),
    **ALL,
)(same)
marked = dataset(
    Marked,
    inputs={"raw": read(envelope=debezium(deleted="gone", columns=LSN))},
    write=Merge(deletes="gone", order_by="lsn"),
    **ALL,
)(same)
versions = dataset(
    Version,
    inputs={
        "raw": read(
            envelope=debezium(deleted="gone", columns=AT),
            date_formats=MILLIS,
            derived=["until", "is_current"],
        )
    },
    write=Scd2(deletes="gone", valid_from="changed_at", valid_to="until", is_current="is_current"),
    **ALL,
)(same)
said = dataset(
    Said, inputs={"raw": read(envelope=debezium(columns={"op": "op"}))}, write=Append(), **ALL
)(same)


@dataclass
class Database:
    """A table that changes, and the events that Debezium tells of it."""

    order: random.Random
    rows: dict[int, str] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)

    def change(self) -> None:
        key, number = self.order.randrange(4), len(self.events)
        before = {"id": key, "item": self.rows[key]} if key in self.rows else None
        if before and self.order.random() < 0.4:
            operation, after = "d", None
            del self.rows[key]
        else:
            operation = "u" if before else self.order.choice("cr")
            self.rows[key] = f"item {number}"
            after = {"id": key, "item": self.rows[key]}
        at = BEGIN + timedelta(seconds=number)
        self.events.append(
            {
                "before": before if operation == "d" else None,
                "after": after,
                "op": operation,
                # when it was told, which is another moment each time
                "ts_ms": self.order.randrange(10**12),
                "source": {"lsn": number, "ts_ms": int(at.timestamp()) * 1000},
            }
        )


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Database:
    return Database(random.Random(request.node.name))


def land(shop: Shop, name: str, *events: object) -> None:
    file = shop.path / "landing" / "orders" / name
    file.parent.mkdir(exist_ok=True)
    texts = [event if isinstance(event, str) else json.dumps(event) for event in events]
    file.write_text("".join(f"{text}\n" for text in texts))


def now(shop: Shop, spec: Dataset) -> dict[int, str]:
    rows = shop.table(spec)
    if spec is marked:
        rows = rows.where("NOT gone")
    if spec is versions:
        rows = rows.where("is_current")
    return {row.id: row["item"] for row in rows.collect()}


class Killed(BaseException):
    """Stands for a signal."""


def killed_at(left: int) -> Any:
    steps = iter(range(left))

    def on_step(_: str) -> None:
        if next(steps, None) is None:
            raise Killed

    return on_step


@pytest.mark.parametrize("spec", [removed, marked, versions], ids=["removed", "marked", "versions"])
def test_any_changes_in_any_cut_with_repeats_and_kills_end_as_the_database(
    shop: Shop, database: Database, spec: Dataset
) -> None:
    order, sent = database.order, 0
    for number in range(10):
        for _ in range(order.randint(0, 5)):
            database.change()
        new = database.events[sent:]
        again = database.events[max(0, sent - 2) : sent] if spec is not removed else []
        again = [event | {"ts_ms": order.randrange(10**12)} for event in again]
        sent = len(database.events)
        batch = [*new, *again]
        if spec is not versions:
            order.shuffle(batch)
        if batch:
            land(shop, f"{number:02}.jsonl", *batch)
            with suppress(Killed):
                shop.run(spec, on_step=killed_at(number))
    shop.run(spec)
    assert now(shop, spec) == database.rows
    assert shop.reasons(spec) == []
    if spec is versions:
        kept = [e for e in database.events if e["op"] != "d"]
        assert shop.table(spec).count() == len(kept)


def test_late_events_in_any_order_are_exact_where_rows_are_marked(
    shop: Shop, database: Database
) -> None:
    for _ in range(16):
        database.change()
    shuffled = database.events[:]
    database.order.shuffle(shuffled)
    for number in range(4):
        land(shop, f"{number}.jsonl", *shuffled[number * 4 : number * 4 + 4])
        shop.run(marked)
    assert now(shop, marked) == database.rows


def test_an_event_that_says_no_change_is_set_aside(shop: Shop) -> None:
    good = {"op": "c", "after": {"id": 1, "item": "a"}, "before": None, "source": {"lsn": 1}}
    land(
        shop,
        "a.jsonl",
        {"schema": {"type": "struct"}, "payload": good},
        good | {"op": "t", "after": None},
        good | {"op": None},
        good | {"after": None},
        good | {"op": "d"},
        good | {"after": {"id": 2, "item": "b", "colour": "red"}},
        good | {"after": {"id": "x", "item": "b"}},
        good | {"after": "row"},
        good | {"source": None},
        "{",
        '{"op": "c", "after": {"id": 3, "id": 4, "item": "a"}, "source": {"lsn": 1}}',
        {"op": "d", "before": {"id": 5, "item": None}, "source": {"lsn": 2}},
    )
    outcome = shop.run(marked)
    assert now(shop, marked) == {1: "a"}
    rows = shop.table(marked).where("gone").select("id", "item", "lsn").collect()
    assert [tuple(row) for row in rows] == [(5, None, 2)]
    assert outcome.rows_in == 12
    assert shop.reasons(marked) == [
        "event:operation",
        "event:operation",
        "event:row",
        "event:row",
        "event:row",
        "id:type",
        "json:extra",
        "json:malformed",
        "json:malformed",
        "lsn:not_null",
    ]


def test_an_event_that_says_a_row_in_part_is_set_aside(shop: Shop) -> None:
    unknown = "__debezium_unavailable_value"
    write = {"op": "u", "before": None, "source": {"lsn": 1}}
    land(
        shop,
        "a.jsonl",
        write | {"after": {"id": 1, "item": unknown}},
        write | {"after": {"id": 2, "item": f"not {unknown}"}},
        write | {"after": {"id": 3, "item": "c"}, "before": {"id": 4, "item": "c"}},
        write | {"after": {"id": 5, "item": "e"}, "before": {"id": 5, "item": unknown}},
        '{"op": "u", "op": "d", "after": {"id": 6, "item": "f"}, "source": {"lsn": 1}}',
    )
    shop.run(removed)
    assert now(shop, removed) == {2: f"not {unknown}", 5: "e"}
    assert shop.reasons(removed) == ["event:key", "event:unavailable", "json:repeated"]
    # a row that leaves the table need not be one
    gone = {"op": "d", "source": {"lsn": 2}}
    land(
        shop,
        "b.jsonl",
        gone | {"before": {"id": 2, "item": unknown}},
        gone | {"before": {"id": 5, "item": 7}},
        gone | {"before": {"id": "x"}},
    )
    shop.run(removed)
    assert now(shop, removed) == {}
    assert shop.reasons(removed)[-1] == "json:repeated"
    assert "id:type" in shop.reasons(removed)


def test_lineage_names_what_the_event_says(shop: Shop, database: Database) -> None:
    database.change()
    land(shop, "a.jsonl", *database.events)
    shop.run(removed)
    (event,) = [
        e.payload for e in shop.runtime.ledger.events() if e.payload["eventType"] == "COMPLETE"
    ]
    lineage = event["outputs"][0]["facets"]["columnLineage"]
    (field,) = {item["field"] for item in lineage["fields"]["lsn"]["inputFields"]}
    assert field == "source.lsn"
    assert "op" in {item["field"] for item in lineage.get("dataset", ())}


def test_events_can_be_kept_as_they_were_said(shop: Shop, database: Database) -> None:
    for _ in range(8):
        database.change()
    land(shop, "a.jsonl", *database.events)
    shop.run(said)
    found = sorted((row.id, row.op) for row in shop.table(said).collect())
    image = [(e["after"] or e["before"], e["op"]) for e in database.events]
    assert found == sorted((row["id"], op) for row, op in image)


def test_a_sender_may_say_it_otherwise(shop: Shop) -> None:
    events = envelope(
        operation="meta.kind",
        after="row",
        before="key",
        writes=["insert", "update"],
        deletes=["delete"],
        deleted="gone",
        columns={"lsn": "meta.seq"},
    )
    spec = dataset(
        Order,
        # the row's own lsn is no number of the event's
        inputs={"raw": read(envelope=events, names={"name": "item", "lsn": "id"})},
        write=Merge(deletes="gone", order_by="lsn"),
    )(same)
    land(
        shop,
        "a.jsonl",
        {"meta": {"kind": "insert", "seq": 1}, "row": {"lsn": 1, "name": "a"}},
        {"meta": {"kind": "insert", "seq": 2}, "row": {"lsn": 2, "name": "b"}},
        {"meta": {"kind": "update", "seq": 3}, "row": {"lsn": 1, "name": "c"}},
        {"meta": {"kind": "delete", "seq": 4}, "key": {"lsn": 2}},
    )
    shop.run(spec)
    assert now(shop, spec) == {1: "c"}
    told = [e.payload for e in shop.runtime.ledger.events()][-1]
    fields = told["outputs"][0]["facets"]["columnLineage"]["fields"]
    sources = {name: {i["field"] for i in fields[name]["inputFields"]} for name in ("id", "lsn")}
    assert "lsn" in sources["id"]
    assert "meta.seq" in sources["lsn"]
    assert "meta.seq" not in sources["id"] - sources["lsn"]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"writes": ["I"], "deletes": ["I"]}, "or one is named twice"),
        ({"writes": "IU"}, "operations are no words"),
        ({"writes": [1, 2]}, "operations are no words"),
        ({"writes": [], "deletes": ["D"]}, "none writes"),
        ({"operation": None}, "operation is no path"),
        ({"columns": {"lsn": 5}}, "is no path"),
        ({"operation": "a..b"}, "operation is no path"),
        ({"columns": {"lsn": "a['b']"}}, "is no path in an event"),
    ],
)
def test_an_envelope_that_says_nothing_is_refused(how: dict[str, Any], told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        envelope(**how)


def test_events_fit_what_is_made_of_them() -> None:
    events = debezium(deleted="gone", columns=LSN)

    def made(contract: Any, inputs: Any, write: Any) -> None:
        dataset(contract, inputs={"raw": inputs}, write=write)(same)

    with pytest.raises(DefinitionError, match="delete rows, and the dataset does not"):
        made(Marked, read(envelope=events), Merge(order_by="lsn"))
    with pytest.raises(DefinitionError, match=r"cannot give the column[\s\S]*found: gone"):
        made(Order, read(envelope=events), Merge(order_by="lsn"))
    with pytest.raises(DefinitionError, match="nobody knows which event of a key is the newest"):
        made(Marked, read(envelope=events), Merge(deletes="gone"))
    with pytest.raises(DefinitionError, match=r"cannot give the column[\s\S]*found: lsn"):
        made(Marked, read(envelope=events, derived=["lsn"]), Append())
    with pytest.raises(DefinitionError, match="says nothing of what is missing"):
        made(Marked, read(envelope=events), Merge(deletes="gone", order_by="lsn", missing="delete"))
    with pytest.raises(DefinitionError, match="nothing would tell the rows"):
        made(Order, read(envelope=debezium(columns=LSN)), Append())
    with pytest.raises(DefinitionError, match="nothing would tell the rows"):
        made(Marked, read(envelope=events), Overwrite())
    only_writes = envelope(deletes=[], columns=LSN)
    made(Order, read(envelope=only_writes), Merge(order_by="lsn"))
    with pytest.raises(DefinitionError, match="says nothing of CSV"):
        landing("a/*.csv", envelope=events)
    with pytest.raises(DefinitionError, match="envelope= is of another kind"):
        topic("orders", broker="events", envelope="debezium")  # type: ignore[arg-type]


def test_numbers_since_1970_are_dates(spark: SparkSession) -> None:
    cases: dict[tuple[str, str], dict[str, str | None]] = {
        ("epoch_days", "date"): {"15710": "2013-01-05", "-719162": "0001-01-01", "1.5": None},
        ("epoch_seconds", "timestamp"): {"1357344000": "2013-01-05 00:00:00", "x": None},
        ("epoch_millis", "timestamp"): {
            "1357344000123": "2013-01-05 00:00:00.123",
            "-62135596800000": "0001-01-01 00:00:00",
            "253402300799999": "9999-12-31 23:59:59.999",
            "253402300800000": None,
            "9223372036854775807": None,
            "1e12": None,
        },
        ("epoch_millis", "date"): {"1357344000000": "2013-01-05", "1357344000001": None},
        ("epoch_micros", "timestamp_ntz"): {"1357344000000001": "2013-01-05 00:00:00.000001"},
    }
    for (pattern, kind), texts in cases.items():
        dates = Dates(pattern=pattern, zone="Europe/Berlin")
        rows = spark.createDataFrame([(text,) for text in texts], "c string")
        rows = rows.selectExpr("c", f"{value_sql('c', kind, dates)} AS v")
        wrong = wrong_sql("c", kind, "v", dates)
        found = rows.selectExpr("c", "CAST(v AS string)", f"{wrong}").collect()
        assert {row[0]: row[1] for row in found} == texts
        assert {row[0] for row in found if row[2]} == {c for c, v in texts.items() if v is None}
